using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RedisSession.Provider;
using StackExchange.Redis;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a distributed cache over Redis hashes, in the place of <c>AddStackExchangeRedisCache</c>.</summary>
public static class RedisHashCacheServiceCollectionExtensions
{
    /// <summary>
    /// Adds an <see cref="IDistributedCache"/>, which is an <see cref="IBufferDistributedCache"/> too, on the connection of
    /// <c>AddRedisHashSession</c>, whichever is called first; without that, on the <see cref="IConnectionMultiplexer"/> in the service
    /// collection. It takes the place of one that was added before. Entries look as those of <c>AddStackExchangeRedisCache</c>: each reads
    /// what the other wrote. Nothing is sent to Redis yet.
    /// </summary>
    /// <remarks>
    /// Each call is one round trip, a get that renews a sliding expiration included. The synchronous members block a thread. A call that is
    /// cancelled ends at once; what it was to write may be written all the same.
    /// </remarks>
    /// <exception cref="OptionsValidationException">
    /// Thrown when the application starts, not here: an option cannot work, or there is no connection; the message says which and what to
    /// do.
    /// </exception>
    public static IServiceCollection AddRedisHashCache(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);

        services.AddLogging(); // as AddStackExchangeRedisCache, it works in an application that has none
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

    /// <summary>Adds an <see cref="IDistributedCache"/> on the server that <paramref name="configuration"/> names.</summary>
    /// <param name="services">The service collection.</param>
    /// <param name="configuration">
    /// See <see cref="RedisHashCacheOptions.Configuration"/>: <c>"localhost:6379"</c>, <c>"redis://…"</c>.
    /// </param>
    /// <inheritdoc cref="AddRedisHashCache(IServiceCollection)" path="/remarks|/exception"/>
    /// <exception cref="ArgumentException">
    /// <paramref name="configuration"/> is empty; the message says all ways to name a Redis, as when none is given.
    /// </exception>
    public static IServiceCollection AddRedisHashCache(this IServiceCollection services, string configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (!string.IsNullOrWhiteSpace(configuration)) return services.AddRedisHashCache(options => options.Configuration = configuration);
        string help = RedisConnectionChoice.Help(RedisConnectionSettings.Of(new RedisHashCacheOptions()));
        throw new ArgumentException(help, nameof(configuration));
    }

    /// <summary>
    /// Adds an <see cref="IDistributedCache"/> with the options that <paramref name="configure"/> sets: a lambda that was written for
    /// <c>AddStackExchangeRedisCache</c> fits.
    /// </summary>
    /// <param name="services">The service collection.</param>
    /// <param name="configure">Sets options.</param>
    /// <inheritdoc cref="AddRedisHashCache(IServiceCollection)" path="/remarks|/exception"/>
    public static IServiceCollection AddRedisHashCache(this IServiceCollection services, Action<RedisHashCacheOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddRedisHashCache();
        services.Configure(configure);
        return services;
    }

    /// <summary>
    /// Adds an <see cref="IDistributedCache"/> with the options that configuration holds: <c>Configuration</c>, <c>InstanceName</c>,
    /// <c>ServiceKey</c>, <c>OutageTolerance</c>, <c>UseDedicatedThreads</c>.
    /// </summary>
    /// <param name="services">The service collection.</param>
    /// <param name="section">
    /// A section, or the whole configuration: then its section <c>RedisHashCache</c> is read. A name in it that is not known stops the
    /// start, and so does a section that is given and empty or not there.
    /// </param>
    /// <inheritdoc cref="AddRedisHashCache(IServiceCollection)" path="/remarks|/exception"/>
    public static IServiceCollection AddRedisHashCache(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddRedisHashCache(options => CacheConfiguration.Apply(section, options));
    }
}
