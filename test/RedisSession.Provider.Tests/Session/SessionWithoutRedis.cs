using Microsoft.AspNetCore.Session;

namespace RedisSession.Provider.Tests;

/// <summary>A session of ours whose connection cannot be made: for what is decided before Redis is asked, or when it is away.</summary>
internal static class SessionWithoutRedis
{
    /// <summary>What every attempt to connect throws.</summary>
    public static RedisConnectionException Error { get; } =
        new(ConnectionFailureType.UnableToConnect, CommandFlags.None, "There is no Redis here.");

    public static ISession Create(
        RedisSessionMode mode = RedisSessionMode.Buffered, Func<Task<IConnectionMultiplexer>>? factory = null, TimeSpan? ioTimeout = null)
    {
        // Not disposed: it holds nothing that must be.
        var services = new ServiceCollection().AddLogging();
        services.AddRedisHashSession(options =>
            (options.Mode, options.ConnectionMultiplexerFactory) = (mode, factory ?? (() => Task.FromException<IConnectionMultiplexer>(Error))));
        return services.BuildServiceProvider().GetRequiredService<ISessionStore>()
            .Create("session key", TimeSpan.FromMinutes(20), ioTimeout ?? TimeSpan.FromSeconds(10), () => true, false);
    }
}
