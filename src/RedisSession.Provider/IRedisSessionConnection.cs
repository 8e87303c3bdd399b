using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The Redis connection that sessions use, for other things that an application keeps in Redis, such as data-protection keys or caches.
/// Available from the service collection after <c>AddRedisHashSession</c>.
/// </summary>
public interface IRedisSessionConnection
{
    /// <summary>
    /// Gets the database, with its <see cref="IRedisAsync.Multiplexer"/>. Completes synchronously once the connection has been created,
    /// whether or not it is currently up. Do not dispose it.
    /// </summary>
    /// <exception cref="RedisConnectionException">
    /// The application's own connection could not be created; the next call tries again.
    /// </exception>
    ValueTask<IDatabase> GetDatabaseAsync();
}
