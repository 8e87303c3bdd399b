using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Which Redis connection to use: the first one configured, in the order of this file.</summary>
internal static class RedisConnectionChoice
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Whether the client keeps commands while their server is unavailable, as it does unless the application says otherwise.
    /// </summary>
    public static bool KeepsCommands(ConfigurationOptions options) => ReferenceEquals(options.BacklogPolicy, BacklogPolicy.Default);

    /// <summary>A connection that we open and therefore close; null if the options refer to one of the application's.</summary>
    /// <exception cref="FormatException">
    /// The configuration string does not identify a Redis server; the message never repeats it.
    /// </exception>
    public static ConfigurationOptions? OwnConnection(RedisConnectionSettings settings)
    {
        if (settings.ConnectionMultiplexerFactory is not null) return null;
        if (settings.ConfigurationOptions is { } given) return Own(LiveCredentials.CopyOf(given), settings.IOTimeout, settings.OutageTolerance);
        return string.IsNullOrWhiteSpace(settings.Configuration)
            ? null
            : Own(Parse(settings.Configuration.Trim()), settings.IOTimeout, settings.OutageTolerance);
    }

    /// <summary>One of the application's connections.</summary>
    public static async Task<IConnectionMultiplexer> ForeignConnectionAsync(RedisConnectionSettings settings, IServiceProvider services)
    {
        if (settings.ConnectionMultiplexerFactory is { } factory)
        {
            return (factory() is { } opening ? await opening.ConfigureAwait(false) : null)
                ?? throw new InvalidOperationException($"The {nameof(settings.ConnectionMultiplexerFactory)} returned null, not a connection.");
        }

        return settings.ServiceKey is { } key
            ? services.GetRequiredKeyedService<IConnectionMultiplexer>(key)
            : services.GetRequiredService<IConnectionMultiplexer>();
    }

    /// <summary>What is wrong with the choice, or null. Opens nothing.</summary>
    public static string? FindError(RedisConnectionSettings settings, IServiceProviderIsKeyedService services)
    {
        ConfigurationOptions? own;
        try
        {
            own = OwnConnection(settings);
        }
        catch (FormatException error)
        {
            return $"{nameof(settings.Configuration)}: {error.Message}";
        }

        if (own is not null)
        {
            string option = settings.ConfigurationOptions is null ? nameof(settings.Configuration) : nameof(settings.ConfigurationOptions);
            return own.EndPoints.Count > 0 ? null : $"{option} names no server: add one, as in \"localhost:6379\".";
        }

        if (settings.ConnectionMultiplexerFactory is not null) return null;
        if (settings.ServiceKey is { } key)
        {
            return services.IsKeyedService(typeof(IConnectionMultiplexer), key)
                ? null
                : $"{nameof(settings.ServiceKey)} is '{key}', but no IConnectionMultiplexer is registered under that key: "
                    + "add it with AddKeyedSingleton, or correct the key.";
        }

        return services.IsService(typeof(IConnectionMultiplexer)) ? null : Help(settings);
    }

    /// <summary>What to do if none is configured.</summary>
    public static string Help(RedisConnectionSettings settings)
    {
        string ways = $"""
            {settings.Method} does not know which Redis to use. Give it one of these:
            1. {nameof(settings.Configuration)}: {settings.Method}("localhost:6379"), or a URL such as redis://user:password@host:6379/0;
            2. {nameof(settings.ConfigurationOptions)}: the same, as a StackExchange.Redis object;
            3. {nameof(settings.ConnectionMultiplexerFactory)}: a function that creates the connection;
            4. {nameof(settings.ServiceKey)}: the key of a keyed IConnectionMultiplexer service;
            5. an IConnectionMultiplexer in the service collection, such as the one registered by AddRedisClient of .NET Aspire
            """;
        string further = settings.FurtherWay is { } way ? $";\n6. {way}" : "";
        string looked = settings.LookedFor.Count > 0
            ? $"It looked in the configuration for {string.Join(", ", settings.LookedFor.Distinct())}: all are missing or empty."
            : $"It was given no configuration to look in: {settings.Method}(builder.Configuration) reads {settings.InConfiguration}.";
        return $"{ways}{further}.\n{looked}";
    }

    /// <summary>The <c>channelPrefix</c> of a connection, whoever has opened it; null if it has none, or does not say.</summary>
    public static string? ChannelPrefixOf(IConnectionMultiplexer multiplexer)
    {
        try
        {
            return ConfigurationOptions.Parse(multiplexer.Configuration ?? "", ignoreUnknown: true).ChannelPrefix;
        }
        catch (ArgumentException)
        {
            return null; // the application's own kind of connection
        }
    }

    private static ConfigurationOptions Own(ConfigurationOptions options, TimeSpan ioTimeout, TimeSpan tolerance)
    {
        // The client reconnects by itself: however many initial attempts there are, it keeps trying.
        options.AbortOnConnectFail = false;
        options.ConnectRetry = 1;

        // While the server is unavailable, the client keeps commands in order and we limit for how long; unless nothing may wait.
        if (KeepsCommands(options) && tolerance == TimeSpan.Zero) options.BacklogPolicy = BacklogPolicy.FailFast;

        // The client's own policy backs off after each failure, so it still waits some seconds once the server is back. Two attempts a
        // second are harmless; the client makes them on its heartbeat.
        if (options.ReconnectRetryPolicy is null or ExponentialRetry) options.ReconnectRetryPolicy = new LinearRetry(250);
        if (options.HeartbeatInterval > HeartbeatInterval) options.HeartbeatInterval = HeartbeatInterval;

        // The client gives up on a silent server after several of its own timeouts, so those need not be much longer than ours. One second
        // longer, so that a request always hits ours first.
        if (ioTimeout > TimeSpan.Zero)
        {
            options.AsyncTimeout = (int)Math.Min(options.AsyncTimeout, ioTimeout.TotalMilliseconds + 1000);
        }

        return options;
    }

    private static ConfigurationOptions Parse(string configuration)
    {
        if (RedisUrl.IsUrl(configuration)) return RedisUrl.Parse(configuration);
        if (configuration.Split(',').Any(NamesUserAtServer))
        {
            throw new FormatException(
                "a server's name cannot contain '@'. To pass a user and password, use a URL, redis://user:password@host:6379 (in a "
                + "password, write '@' as %40 and ',' as %2C), or StackExchange.Redis syntax, host:6379,user=…,password=….");
        }

        try
        {
            return ConfigurationOptions.Parse(configuration);
        }
        catch (ArgumentException error)
        {
            // What the client reports as an unknown option can be part of a password that contains a comma; its message goes no further.
            bool mayBeSecret = configuration.Contains("password", StringComparison.OrdinalIgnoreCase) || configuration.Contains('@');
            string culprit = mayBeSecret || string.IsNullOrEmpty(error.ParamName) ? "" : $": see '{error.ParamName}'";
            throw new FormatException(
                $"this is neither a redis://, rediss:// or unix: URL nor StackExchange.Redis syntax (host:port,option=value){culprit}.");
        }
    }

    /// <summary>
    /// A URL without its scheme: the client would take all of it for a server name, and put the password into its exceptions. With '=' it
    /// is an option; with '!', a Unix socket path.
    /// </summary>
    private static bool NamesUserAtServer(string part) => part.Contains('@') && !part.Contains('=') && !part.TrimStart().StartsWith('!');
}
