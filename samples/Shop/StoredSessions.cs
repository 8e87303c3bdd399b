using Microsoft.Extensions.Options;
using RedisSession.Provider;
using StackExchange.Redis;

namespace Shop;

/// <summary>What Redis currently stores for one session, as <c>redis-cli</c> would show it.</summary>
/// <param name="Key">The name of the hash: prefix, <c>sessions:</c>, the public session id.</param>
/// <param name="Fields">Every field with its value. Those that begin with @ are internal to the session provider.</param>
/// <param name="TimeToLive">The time left until the session expires; null if there is no such hash.</param>
public sealed record StoredSession(string Key, IReadOnlyList<StoredField> Fields, TimeSpan? TimeToLive);

/// <param name="Name">The session key.</param>
/// <param name="Value">The bytes that were set, as text.</param>
/// <param name="TimeToLive">The time left until this field expires by itself; null if it lives as long as the session.</param>
public sealed record StoredField(string Name, string Value, TimeSpan? TimeToLive);

/// <summary>Reads stored sessions with plain Redis commands, bypassing the session.</summary>
public sealed class StoredSessions(IRedisSessionConnection redis, IOptions<RedisHashSessionOptions> options)
{
    public async Task<StoredSession> ReadAsync(string sessionId)
    {
        string key = $"{options.Value.KeyPrefix}sessions:{sessionId}";
        var database = await redis.GetDatabaseAsync();
        var timeToLive = database.KeyTimeToLiveAsync(key);
        var entries = await database.HashGetAllAsync(key);
        var fieldTimes = await ReadFieldTimesAsync(database, key, [.. entries.Select(entry => entry.Name)]);
        var fields = entries.Zip(fieldTimes, (entry, left) => new StoredField(entry.Name.ToString(), entry.Value.ToString(), left));
        return new(key, [.. fields.OrderBy(field => field.Name, StringComparer.Ordinal)], await timeToLive);
    }

    private static async Task<IEnumerable<TimeSpan?>> ReadFieldTimesAsync(IDatabase database, string key, RedisValue[] fields)
    {
        if (fields.Length == 0) return [];
        try
        {
            var times = await database.HashFieldGetTimeToLiveAsync(key, fields); // HPTTL; below 0: no expiry, or already gone
            return times.Select(left => left < 0 ? (TimeSpan?)null : TimeSpan.FromMilliseconds(left));
        }
        catch (RedisServerException) // fields have no expiry before Redis 7.4 and Valkey 9
        {
            return fields.Select(_ => (TimeSpan?)null);
        }
    }
}
