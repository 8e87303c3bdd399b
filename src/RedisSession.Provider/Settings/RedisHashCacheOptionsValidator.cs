using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Stops the start of an application whose cache has no connection that can work. The message says the remedy.</summary>
internal sealed class RedisHashCacheOptionsValidator(IServiceProviderIsKeyedService services) : IValidateOptions<RedisHashCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisHashCacheOptions options)
    {
        var settings = RedisConnectionSettings.Of(options);
        bool isThatOfSessions = !settings.NamesOne && services.IsService(typeof(RedisConnection)); // which has a validator of its own
        return !isThatOfSessions && RedisConnectionChoice.FindError(settings, services) is { } error
            ? ValidateOptionsResult.Fail(error)
            : ValidateOptionsResult.Success;
    }
}
