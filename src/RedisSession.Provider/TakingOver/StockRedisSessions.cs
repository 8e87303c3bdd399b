using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The sessions of an AddSession over RedisCache, on the connection of the sessions. To the primary only, as everything.</summary>
/// <remarks>
/// <code>
/// key     {InstanceName}{session key}
/// fields  data     the blob; RedisCache's other fields and the TTL are left to it
///         taken    ours: the generation of the hash that it lives on as, "ended" or "unreadable"
/// </code>
/// The mark is a field of the blob's own hash, because old instances may go on writing the blob: RedisCache sets its fields and leaves
/// others alone, so that what they write keeps the mark and is not taken over behind it.
/// </remarks>
internal sealed class StockRedisSessions(RedisConnection connection, string instanceName) : IStockSessions
{
    private const string Taken = "taken";
    private const string Ended = "ended";
    private const string Unreadable = "unreadable";

    private static readonly RedisValue[] Fields = [CacheEntry.Data, Taken];

    /// <summary>
    /// Marks a blob, unless it is marked as another session. A script, because of two who look at it before either has written, one must
    /// see the other's mark; and because a blob that is gone must not come back as a mark without a TTL. What is no hash cannot be marked.
    /// </summary>
    /// <remarks><c>ARGV 1 the mark; returns 1, also where there is no blob · 0 it has another mark</c></remarks>
    private static readonly RedisScript Mark = new($"""
        local key = KEYS[1]
        local mark = redis.pcall('HGET', key, '{Taken}')
        if type(mark) == 'table' then return 1 end
        if mark then return mark == ARGV[1] and 1 or 0 end
        if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, '{Taken}', ARGV[1]) end
        return 1
        """);

    /// <summary>
    /// Takes a blob's data away and leaves a mark, which outlives what old instances may still write. A script, because a blob that is gone
    /// must not come back as a mark without a TTL.
    /// </summary>
    /// <remarks><c>returns 1 · 0 there was none</c></remarks>
    private static readonly RedisScript End = new($"""
        local key = KEYS[1]
        if type(redis.pcall('HGET', key, '{Taken}')) == 'table' or redis.call('EXISTS', key) == 0 then return 0 end
        redis.call('HSET', key, '{Taken}', '{Ended}')
        redis.call('HDEL', key, '{CacheEntry.Data}')
        return 1
        """);

    public async Task<FoundLeft> FindAsync(string sessionKey, Waiting waiting)
    {
        try
        {
            var found = await waiting.ForAsync(Database.HashGetAsync(KeyOf(sessionKey), Fields, CommandFlags.DemandMaster))
                .ConfigureAwait(false);
            bool isMarked = !found[1].IsNull;
            return new(isMarked ? null : (byte[]?)found[0], isMarked && found[1] != Ended && found[1] != Unreadable);
        }
        catch (RedisServerException error) when (error.Kind == RedisErrorKind.WrongType)
        {
            return new([], MayBeTaken: false); // somebody else's, and no blob
        }
    }

    public async Task<bool> MarkAsync(string sessionKey, string generation, Waiting waiting) =>
        (int)await waiting.ForAsync(Mark, Database, KeyOf(sessionKey), [generation]).ConfigureAwait(false) == 1;

    public Task PassOverAsync(string sessionKey, Waiting waiting) => MarkAsync(sessionKey, Unreadable, waiting);

    public async Task<bool> EndAsync(string sessionKey, Waiting waiting) =>
        (int)await waiting.ForAsync(End, Database, KeyOf(sessionKey), []).ConfigureAwait(false) == 1;

    // A session looks for its blob when it has asked for its hash: there is a connection.
    private IDatabase Database => connection.OpenDatabase!;

    private RedisKey KeyOf(string sessionKey) => instanceName + sessionKey;
}
