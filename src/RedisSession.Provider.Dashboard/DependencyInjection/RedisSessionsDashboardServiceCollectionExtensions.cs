using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RedisSession.Provider;
using RedisSession.Provider.Dashboard;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the services of the sessions page.</summary>
public static class RedisSessionsDashboardServiceCollectionExtensions
{
    /// <summary>
    /// Adds the services that <c>MapRedisSessions</c> needs in addition to <c>AddRedisHashSession</c>: antiforgery, and the count of all
    /// sessions over time.
    /// </summary>
    /// <param name="services">The service collection.</param>
    /// <param name="configure">Sets the options.</param>
    /// <exception cref="OptionsValidationException">
    /// Thrown when the application starts, not here: <see cref="RedisSessionsDashboardOptions.CountInterval"/> is less than a second and
    /// not infinite.
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
            "CountInterval must be at least one second, or Timeout.InfiniteTimeSpan to disable counting: each count scans all keys.");
        if (configure is not null) options.Configure(configure);
        return services;
    }
}
