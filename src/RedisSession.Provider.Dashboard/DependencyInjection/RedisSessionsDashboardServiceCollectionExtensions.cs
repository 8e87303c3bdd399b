using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RedisSession.Provider;
using RedisSession.Provider.Dashboard;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds what the sessions page needs.</summary>
public static class RedisSessionsDashboardServiceCollectionExtensions
{
    /// <summary>
    /// Adds what <c>MapRedisSessions</c> needs beside <c>AddRedisHashSession</c>: antiforgery, and the count of all sessions over time.
    /// </summary>
    /// <param name="services">The service collection.</param>
    /// <param name="configure">Sets options.</param>
    /// <exception cref="OptionsValidationException">
    /// Thrown when the application starts, not here: <see cref="RedisSessionsDashboardOptions.CountInterval"/> is neither a second or more
    /// nor infinite.
    /// </exception>
    public static IServiceCollection AddRedisSessionsDashboard(
        this IServiceCollection services, Action<RedisSessionsDashboardOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddAntiforgery();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<SessionCounts>();
        services.TryAddSingleton<SessionsEndpoint>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SessionCounter>());
        var options = services.AddOptions<RedisSessionsDashboardOptions>().ValidateOnStart().Validate(
            static options => options.CountInterval == Timeout.InfiniteTimeSpan || options.CountInterval >= TimeSpan.FromSeconds(1),
            "CountInterval must be a second or more, or Timeout.InfiniteTimeSpan for never: a count is a walk over all keys.");
        if (configure is not null) options.Configure(configure);
        return services;
    }
}
