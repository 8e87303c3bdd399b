using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The Redis connection settings of any kind of options, from which <see cref="RedisConnectionChoice"/> chooses.</summary>
internal sealed record RedisConnectionSettings
{
    /// <summary>The method that takes these options, for messages.</summary>
    public required string Method { get; init; }

    public string? Configuration { get; init; }

    public ConfigurationOptions? ConfigurationOptions { get; init; }

    public Func<Task<IConnectionMultiplexer>>? ConnectionMultiplexerFactory { get; init; }

    public object? ServiceKey { get; init; }

    public bool UseDedicatedThreads { get; init; } = true;

    /// <summary>How long to wait for a reply, apart from the client's own timeouts; infinite by default.</summary>
    public TimeSpan IOTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>How long into an outage commands wait for it to end.</summary>
    public TimeSpan OutageTolerance { get; init; } = RedisHashSessionOptions.DefaultOutageTolerance;

    /// <summary>A further way to supply a connection, beyond those common to all options; for the message that there is none.</summary>
    public string? FurtherWay { get; init; }

    /// <summary>The configuration names searched for a connection; empty if no configuration was given.</summary>
    public IReadOnlyCollection<string> LookedFor { get; init; } = [];

    /// <summary>What is read if the whole configuration is given; for the message that there is none.</summary>
    public required string InConfiguration { get; init; }

    /// <summary>Whether a connection is specified, not left to the registered services.</summary>
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
