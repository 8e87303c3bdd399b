using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Fails the startup of an application whose cache options cannot work. Each message gives the remedy.</summary>
internal sealed class RedisHashCacheOptionsValidator(IServiceProviderIsKeyedService services) : IValidateOptions<RedisHashCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisHashCacheOptions options)
    {
        var settings = RedisConnectionSettings.Of(options);
        bool isThatOfSessions = !settings.NamesOne && services.IsService(typeof(RedisConnection)); // has its own validator
        var errors = KeyText.FindErrors((nameof(options.InstanceName), options.InstanceName)).ToList();
        if (RedisHashSessionOptionsValidator.OutageError(options.OutageTolerance) is { } outage) errors.Add(outage);
        if (!isThatOfSessions && RedisConnectionChoice.FindError(settings, services) is { } error) errors.Add(error);
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
