namespace RedisSession.Provider;

/// <summary>
/// The scripts that mark legacy sessions: see <see cref="StockRedisSessions"/>. Like <see cref="SessionScripts"/>, each works on one key
/// and is safe to apply twice. A key that is not a hash cannot be marked.
/// </summary>
internal static class LeftScripts
{
    // Sets `mark`, and `isOther` if the key is not a hash. Every other error is returned: without the right to look, there may be a blob.
    private const string ReadMark = $"""
        local key = KEYS[1]
        local mark = redis.pcall('HGET', key, '{StockRedisSessions.Taken}')
        local isOther = type(mark) == 'table'
        if isOther and not string.find(mark.err, 'WRONGTYPE') then return mark end

        """;

    /// <summary>
    /// Marks a blob, unless it already has another mark. A script, because if two requests read it before either writes, one must see the
    /// other's mark; and because a blob that is gone must not come back as a mark without a TTL.
    /// </summary>
    /// <remarks><c>ARGV 1 the mark; returns 1, also if there is no blob · 0 if it has another mark</c></remarks>
    public static readonly RedisScript Mark = new(ReadMark + $"""
        if isOther then return 1 end
        if mark then return mark == ARGV[1] and 1 or 0 end
        if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, '{StockRedisSessions.Taken}', ARGV[1]) end
        return 1
        """);

    /// <summary>
    /// Removes a blob's data and leaves a mark, which survives whatever old instances may still write. A script, because a blob that is
    /// gone must not come back as a mark without a TTL.
    /// </summary>
    /// <remarks><c>returns 1 · 0 if there was no blob</c></remarks>
    public static readonly RedisScript End = new(ReadMark + $"""
        if isOther or redis.call('EXISTS', key) == 0 then return 0 end
        redis.call('HDEL', key, '')
        redis.call('HSET', key, '{StockRedisSessions.Taken}', '{StockRedisSessions.Ended}')
        redis.call('HDEL', key, '{CacheEntry.Data}')
        return 1
        """);
}
