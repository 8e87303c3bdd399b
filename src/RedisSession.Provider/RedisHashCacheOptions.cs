using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The options of <c>AddRedisHashCache</c>: where and how cache entries are kept in Redis. The names match those of
/// <c>RedisCacheOptions</c>. Validated when the application starts.
/// </summary>
/// <remarks>
/// The connection is the first of these that is set: <see cref="ConnectionMultiplexerFactory"/>, <see cref="ConfigurationOptions"/>,
/// <see cref="Configuration"/>, <see cref="ServiceKey"/>, the connection of <c>AddRedisHashSession</c>, an
/// <see cref="IConnectionMultiplexer"/> in the service collection. As with <c>RedisCacheOptions</c>, the client determines how long a call
/// waits for Redis: <c>asyncTimeout</c> and <c>syncTimeout</c> in the configuration, 5 seconds each by default. (On the sessions'
/// connection, a shorter <c>IOTimeout</c> reduces <c>asyncTimeout</c>.)
/// </remarks>
public class RedisHashCacheOptions
{
    /// <inheritdoc cref="RedisHashSessionOptions.Section"/>
    internal const string Section = "RedisHashCache";

    /// <inheritdoc cref="RedisHashSessionOptions.Configuration"/>
    public string? Configuration { get; set; }

    /// <inheritdoc cref="RedisHashSessionOptions.ConfigurationOptions"/>
    public ConfigurationOptions? ConfigurationOptions { get; set; }

    /// <inheritdoc cref="RedisHashSessionOptions.ConnectionMultiplexerFactory"/>
    public Func<Task<IConnectionMultiplexer>>? ConnectionMultiplexerFactory { get; set; }

    /// <summary>
    /// The key of the keyed <see cref="IConnectionMultiplexer"/> service to use, for applications that register several. Default: null,
    /// which means the sessions' connection, or the multiplexer registered without a key.
    /// </summary>
    public object? ServiceKey { get; set; }

    /// <summary>
    /// A prefix for every Redis key, such as <c>"shop:"</c>, so that applications can share a server. Default: null, no prefix. Use the
    /// value of an existing <c>AddStackExchangeRedisCache</c> to read and write its entries.
    /// </summary>
    public string? InstanceName { get; set; }

    /// <summary>
    /// How far into an outage calls wait for Redis to come back, as with <see cref="RedisHashSessionOptions.OutageTolerance"/>. Default: 5
    /// seconds. On the sessions' connection, the sessions' setting applies.
    /// </summary>
    public TimeSpan OutageTolerance { get; set; } = RedisHashSessionOptions.DefaultOutageTolerance;

    /// <summary>
    /// Whether a connection opened by this library reads and writes on dedicated threads (the <c>DedicatedThreads</c> feature flag of
    /// StackExchange.Redis, which is per process and is set before connecting). Without them, the synchronous members can stall: a pool
    /// thread is needed to read a reply, and all pool threads may be blocked waiting for replies. Default: true. False leaves the flag
    /// unchanged.
    /// </summary>
    public bool UseDedicatedThreads { get; set; } = true;

    /// <inheritdoc cref="RedisHashSessionOptions.LookedFor"/>
    internal List<string> LookedFor { get; } = [];

    /// <summary>The findings from reading these options from configuration.</summary>
    internal ConfigurationFindings Findings { get; } = new();
}
