using Microsoft.Extensions.Options;
using RedisSession.Provider;

namespace Shop;

/// <summary>What Redis holds for one session at this moment, as <c>redis-cli</c> would show it.</summary>
/// <param name="Key">The name of the hash: prefix, <c>sessions:</c>, the public session id.</param>
/// <param name="Fields">Every field with its value. Those that begin with @ are the session's own.</param>
/// <param name="TimeToLive">What is left until the session expires; null when there is no such hash.</param>
public sealed record StoredSession(string Key, IReadOnlyList<KeyValuePair<string, string>> Fields, TimeSpan? TimeToLive);

/// <summary>Looks at sessions behind the session's back, with plain Redis commands.</summary>
public sealed class StoredSessions(IRedisSessionConnection redis, IOptions<RedisHashSessionOptions> options)
{
    public async Task<StoredSession> ReadAsync(string sessionId)
    {
        string key = $"{options.Value.KeyPrefix}sessions:{sessionId}";
        var database = await redis.GetDatabaseAsync();
        var fields = database.HashGetAllAsync(key);
        var timeToLive = database.KeyTimeToLiveAsync(key);
        var texts = (await fields).Select(field => KeyValuePair.Create(field.Name.ToString(), field.Value.ToString()));
        return new(key, [.. texts.OrderBy(field => field.Key, StringComparer.Ordinal)], await timeToLive);
    }
}
