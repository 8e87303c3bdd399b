namespace RedisSession.Provider;

/// <summary>
/// The scripts that mark what AddSession has left: see <see cref="StockRedisSessions"/>. As <see cref="SessionScripts"/>: one key each,
/// safe to apply twice. What is no hash cannot be marked.
/// </summary>
internal static class LeftScripts
{
    /// <summary>
    /// Marks a blob, unless it is marked as another session. A script, because of two who look at it before either has written, one must
    /// see the other's mark; and because a blob that is gone must not come back as a mark without a TTL.
    /// </summary>
    /// <remarks><c>ARGV 1 the mark; returns 1, also where there is no blob · 0 it has another mark</c></remarks>
    public static readonly RedisScript Mark = new($"""
        local key = KEYS[1]
        local mark = redis.pcall('HGET', key, '{StockRedisSessions.Taken}')
        if type(mark) == 'table' then return 1 end
        if mark then return mark == ARGV[1] and 1 or 0 end
        if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, '{StockRedisSessions.Taken}', ARGV[1]) end
        return 1
        """);

    /// <summary>
    /// Takes a blob's data away and leaves a mark, which outlives what old instances may still write. A script, because a blob that is gone
    /// must not come back as a mark without a TTL.
    /// </summary>
    /// <remarks><c>returns 1 · 0 there was none</c></remarks>
    public static readonly RedisScript End = new($"""
        local key = KEYS[1]
        if type(redis.pcall('HGET', key, '{StockRedisSessions.Taken}')) == 'table' or redis.call('EXISTS', key) == 0 then return 0 end
        redis.call('HDEL', key, '')
        redis.call('HSET', key, '{StockRedisSessions.Taken}', '{StockRedisSessions.Ended}')
        redis.call('HDEL', key, '{CacheEntry.Data}')
        return 1
        """);
}
