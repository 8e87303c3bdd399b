using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RedisSession.Provider;
using StackExchange.Redis;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a distributed cache that stores entries as Redis hashes, in place of <c>AddStackExchangeRedisCache</c>.</summary>
public static class RedisHashCacheServiceCollectionExtensions
{
    /// <summary>
    /// Adds an <see cref="IDistributedCache"/>, which is also an <see cref="IBufferDistributedCache"/>, on the connection of
    /// <c>AddRedisHashSession</c>, regardless of which is called first; without sessions, on the <see cref="IConnectionMultiplexer"/> in
    /// the service collection. It replaces any cache that was added before. Entries have the same format as those of
    /// <c>AddStackExchangeRedisCache</c>: each can read what the other wrote. Nothing is sent to Redis yet.
    /// </summary>
    /// <remarks>
    /// Each call is one round trip, including a get that renews a sliding expiration. The synchronous members block a thread. A cancelled
    /// call ends immediately; its write may still be applied.
    /// </remarks>
    /// <exception cref="OptionsValidationException">
    /// Thrown when the application starts, not here: an option is invalid, or no connection is configured. The message names the option and
    /// the remedy.
    /// </exception>
    public static IServiceCollection AddRedisHashCache(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);

        services.AddLogging(); // like AddStackExchangeRedisCache, works in an application without logging
        services.RemoveAll<IDistributedCache>();
        services.AddSingleton<IDistributedCache, RedisHashCache>();
        services.TryAddSingleton<RedisHashCacheConnection>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, CacheSettingsReport>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, RedisHashCacheConnection>(
            provider => provider.GetRequiredService<RedisHashCacheConnection>()));

        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<RedisHashCacheOptions>, RedisHashCacheOptionsValidator>());
        services.AddOptions<RedisHashCacheOptions>().ValidateOnStart();
        return services;
    }

    /// <summary>Adds an <see cref="IDistributedCache"/> on the server that <paramref name="configuration"/> specifies.</summary>
    /// <param name="services">The service collection.</param>
    /// <param name="configuration">
    /// See <see cref="RedisHashCacheOptions.Configuration"/>: <c>"localhost:6379"</c>, <c>"redis://…"</c>.
    /// </param>
    /// <inheritdoc cref="AddRedisHashCache(IServiceCollection)" path="/remarks|/exception"/>
    /// <exception cref="ArgumentException">
    /// <paramref name="configuration"/> is empty. The message lists all ways to specify a Redis server, as when none is specified.
    /// </exception>
    public static IServiceCollection AddRedisHashCache(this IServiceCollection services, string configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (!string.IsNullOrWhiteSpace(configuration)) return services.AddRedisHashCache(options => options.Configuration = configuration);
        string help = RedisConnectionChoice.Help(RedisConnectionSettings.Of(new RedisHashCacheOptions()));
        throw new ArgumentException(help, nameof(configuration));
    }

    /// <summary>
    /// Adds an <see cref="IDistributedCache"/> with the options that <paramref name="configure"/> sets. A lambda written for
    /// <c>AddStackExchangeRedisCache</c> works unchanged.
    /// </summary>
    /// <param name="services">The service collection.</param>
    /// <param name="configure">Sets the options.</param>
    /// <inheritdoc cref="AddRedisHashCache(IServiceCollection)" path="/remarks|/exception"/>
    public static IServiceCollection AddRedisHashCache(this IServiceCollection services, Action<RedisHashCacheOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddRedisHashCache();
        services.Configure(configure);
        return services;
    }

    /// <summary>
    /// Adds an <see cref="IDistributedCache"/> with options from configuration: <c>Configuration</c>, <c>InstanceName</c>,
    /// <c>ServiceKey</c>, <c>OutageTolerance</c>, <c>UseDedicatedThreads</c>.
    /// </summary>
    /// <param name="services">The service collection.</param>
    /// <param name="section">
    /// A section, or the whole configuration, whose section <c>RedisHashCache</c> is then read. The application does not start if the
    /// section contains an unknown name, or if a section was passed that is empty or missing.
    /// </param>
    /// <inheritdoc cref="AddRedisHashCache(IServiceCollection)" path="/remarks|/exception"/>
    public static IServiceCollection AddRedisHashCache(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddRedisHashCache(options => CacheConfiguration.Apply(section, options));
    }
}
