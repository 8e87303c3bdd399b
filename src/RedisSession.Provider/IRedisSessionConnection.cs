using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The connection to Redis that sessions use, for what else an application keeps there: data-protection keys, caches. In the service
/// collection after <c>AddRedisHashSession</c>.
/// </summary>
public interface IRedisSessionConnection
{
    /// <summary>
    /// The database, with its <see cref="IRedisAsync.Multiplexer"/>. Completed at once as soon as there is a connection, be it up or down
    /// at the moment. Do not dispose it.
    /// </summary>
    /// <exception cref="RedisConnectionException">
    /// The application's own connection could not be made; the next call tries again.
    /// </exception>
    ValueTask<IDatabase> GetDatabaseAsync();
}
