using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>A session of ours whose connection cannot be made: for what is decided before Redis is asked, or when it is away.</summary>
internal static class SessionWithoutRedis
{
    /// <summary>What every attempt to connect throws.</summary>
    public static RedisConnectionException Error { get; } =
        new(ConnectionFailureType.UnableToConnect, CommandFlags.None, "There is no Redis here.");

    public static ISession Create(Func<bool>? tryEstablishSession = null)
    {
        var options = Options.Create(new RedisHashSessionOptions
        {
            ConnectionMultiplexerFactory = () => Task.FromException<IConnectionMultiplexer>(Error),
        });

        // Neither is disposed: they hold nothing that must be.
        var services = new ServiceCollection().BuildServiceProvider();
        var connection = new RedisConnection(options, services, NullLogger<RedisConnection>.Instance);
        return new RedisHashSessionStore(connection, options, new HttpContextAccessor(), NullLoggerFactory.Instance)
            .Create("session key", TimeSpan.FromMinutes(20), TimeSpan.FromSeconds(10), tryEstablishSession ?? (() => true), false);
    }
}
