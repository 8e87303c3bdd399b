using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// What options say about their Redis connection, whichever options they are: what <see cref="RedisConnectionChoice"/> chooses from.
/// </summary>
internal sealed record RedisConnectionSettings
{
    /// <summary>The method whose options these are, for messages.</summary>
    public required string Method { get; init; }

    public string? Configuration { get; init; }

    public ConfigurationOptions? ConfigurationOptions { get; init; }

    public Func<Task<IConnectionMultiplexer>>? ConnectionMultiplexerFactory { get; init; }

    public object? ServiceKey { get; init; }

    public bool UseDedicatedThreads { get; init; } = true;

    /// <summary>How long anybody waits for a reply, beside what the client is told; infinite when nothing else is said.</summary>
    public TimeSpan IOTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>For how long of an outage commands wait for its end.</summary>
    public TimeSpan OutageTolerance { get; init; } = RedisHashSessionOptions.DefaultOutageTolerance;

    /// <summary>Another way to a connection than those that all options have, for the message that there is none.</summary>
    public string? FurtherWay { get; init; }

    /// <summary>The names in configuration under which one was looked for; empty when no configuration was given.</summary>
    public IReadOnlyCollection<string> LookedFor { get; init; } = [];

    /// <summary>What is read where the whole configuration is given, for the message that there is none.</summary>
    public required string InConfiguration { get; init; }

    /// <summary>Whether a connection is named, and not left to what is registered.</summary>
    public bool NamesOne =>
        ConnectionMultiplexerFactory is not null || ConfigurationOptions is not null || !string.IsNullOrWhiteSpace(Configuration)
        || ServiceKey is not null;

    public static RedisConnectionSettings Of(RedisHashSessionOptions options) => new()
    {
        Method = "AddRedisHashSession",
        Configuration = options.Configuration,
        ConfigurationOptions = options.ConfigurationOptions,
        ConnectionMultiplexerFactory = options.ConnectionMultiplexerFactory,
        ServiceKey = options.ServiceKey,
        UseDedicatedThreads = options.UseDedicatedThreads,
        IOTimeout = options.IOTimeout,
        LookedFor = options.LookedFor,
        InConfiguration = $"SESSION_REDIS, --session-redis and the section {RedisHashSessionOptions.Section}",
        OutageTolerance = options.OutageTolerance,
    };

    public static RedisConnectionSettings Of(RedisHashCacheOptions options) => new()
    {
        Method = "AddRedisHashCache",
        Configuration = options.Configuration,
        ConfigurationOptions = options.ConfigurationOptions,
        ConnectionMultiplexerFactory = options.ConnectionMultiplexerFactory,
        ServiceKey = options.ServiceKey,
        UseDedicatedThreads = options.UseDedicatedThreads,
        LookedFor = options.LookedFor,
        InConfiguration = $"the section {RedisHashCacheOptions.Section}",
        OutageTolerance = options.OutageTolerance,
        FurtherWay = "AddRedisHashSession with one of these: the cache then uses the connection of the sessions",
    };
}
