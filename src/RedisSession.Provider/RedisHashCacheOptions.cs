using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The options of <c>AddRedisHashCache</c>: where and how cache entries are kept in Redis. The names are those of <c>RedisCacheOptions</c>.
/// Checked when the application starts.
/// </summary>
/// <remarks>
/// The connection is the first of these that is given: <see cref="ConnectionMultiplexerFactory"/>, <see cref="ConfigurationOptions"/>,
/// <see cref="Configuration"/>, <see cref="ServiceKey"/>, the connection of <c>AddRedisHashSession</c>, an
/// <see cref="IConnectionMultiplexer"/> in the service collection. How long a call waits for Redis is the client's to say, as with
/// <c>RedisCacheOptions</c>: <c>asyncTimeout</c> and <c>syncTimeout</c> in the configuration, 5 seconds each unless given. (On the
/// connection of the sessions an <c>IOTimeout</c> below that shortens the first.)
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
    /// The key of the <see cref="IConnectionMultiplexer"/> among the keyed services, for applications that have several. Default: null,
    /// which means the connection of the sessions, or the multiplexer without a key.
    /// </summary>
    public object? ServiceKey { get; set; }

    /// <summary>
    /// Text in front of every Redis key, such as <c>"shop:"</c>, so that applications can share a server. Default: null, none. With that of
    /// an <c>AddStackExchangeRedisCache</c> its entries are read and written.
    /// </summary>
    public string? InstanceName { get; set; }

    /// <summary>
    /// How long of an outage calls wait for its end, as with <see cref="RedisHashSessionOptions.OutageTolerance"/>. Default: 5 seconds. On
    /// the connection of the sessions theirs counts.
    /// </summary>
    public TimeSpan OutageTolerance { get; set; } = RedisHashSessionOptions.DefaultOutageTolerance;

    /// <summary>
    /// Whether a connection that is opened here reads and writes on threads of its own (the <c>DedicatedThreads</c> feature flag of
    /// StackExchange.Redis, which is per process and is set before connecting). Without them the synchronous members can stall: a reply
    /// needs a pool thread to be read, and all of them may be blocked waiting for replies. Default: true. False leaves the flag as it is.
    /// </summary>
    public bool UseDedicatedThreads { get; set; } = true;

    /// <inheritdoc cref="RedisHashSessionOptions.LookedFor"/>
    internal List<string> LookedFor { get; } = [];

    /// <summary>What was found where these options were read from configuration.</summary>
    internal ConfigurationFindings Findings { get; } = new();
}
