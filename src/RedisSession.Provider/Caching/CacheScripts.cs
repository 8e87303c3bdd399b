using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The scripts of the cache. Each works on one key and is safe to apply twice. The caller passes the time: an application sets an absolute
/// expiration by its own clock, and RedisCache instances that share the entries use their own clocks as well.
/// </summary>
internal static class CacheScripts
{
    /// <summary>
    /// Renews an entry that has a sliding expiration, up to its absolute expiration at most; removes it if that has passed. A script,
    /// because only the entry says whether and how far to renew it: with commands, that takes a second round trip, which may find a
    /// different entry. It does not touch the data, which would be slow in Lua.
    /// </summary>
    /// <remarks><c>ARGV 1 now; returns nil if the entry had expired · else 1</c></remarks>
    public static readonly RedisScript Renew = new($"""
        local key = KEYS[1]
        local absolute, sliding = unpack(redis.call('HMGET', key, '{CacheEntry.Absolute}', '{CacheEntry.Sliding}'))
        local window, limit = tonumber(sliding), tonumber(absolute)
        if window and window > 0 then
          local ttl = math.min(math.ceil(window / 10000), {SessionExpiry.Never})
          if limit and limit >= 0 then ttl = math.min(ttl, math.floor(limit / 10000) - tonumber(ARGV[1])) end
          if ttl <= 0 then
            redis.call('UNLINK', key)
            return false
          end
          redis.call('PEXPIRE', key, string.format('%.0f', ttl))
        end
        return 1
        """);

    /// <summary>
    /// Replaces an entry. A script, because an entry that expires must never be without its TTL, and nothing of the old entry may remain:
    /// no field, no TTL. The key is not removed on the way: while a cluster moves its slot, the script could not create it again. Only
    /// something other than a hash has to go first.
    /// </summary>
    /// <remarks><c>ARGV 1 absexp · 2 sldexp · 3 data · 4 TTL in ms, or ''; returns nothing of use</c></remarks>
    public static readonly RedisScript Write = new($$"""
        {{SessionScripts.May}}local key, ttl = KEYS[1], ARGV[4]
        if ttl ~= '' then
        {{SessionScripts.MayExpire}}end
        local before, others = redis.pcall('HKEYS', key), {}
        if before.err and not string.find(before.err, 'WRONGTYPE') then return before end
        for _, field in ipairs(before) do
          local isOurs = field == '{{CacheEntry.Absolute}}' or field == '{{CacheEntry.Sliding}}' or field == '{{CacheEntry.Data}}'
          if not isOurs then others[#others + 1] = field end
        end
        if #others > 0 then may('HDEL', key, others[1]) end
        if ttl == '' and #before > 0 then may('PERSIST', key) end
        if before.err then redis.call('UNLINK', key) end
        redis.call('HSET', key, '{{CacheEntry.Absolute}}', ARGV[1], '{{CacheEntry.Sliding}}', ARGV[2], '{{CacheEntry.Data}}', ARGV[3])
        for i = 1, #others, 4000 do
          redis.call('HDEL', key, unpack(others, i, math.min(i + 3999, #others)))
        end
        if ttl ~= '' then
          redis.call('PEXPIRE', key, ttl)
        elseif #before > 0 then
          redis.call('PERSIST', key)
        end
        return 1
        """);

    /// <summary>The application's clock, in milliseconds since the year 1: ticks do not fit into Lua's numbers.</summary>
    public static RedisValue[] Now() => [DateTimeOffset.UtcNow.Ticks / TimeSpan.TicksPerMillisecond];

    public static RedisValue[] EntryOf(CacheExpiry expiry, ReadOnlyMemory<byte> data) =>
        [expiry.Absolute, expiry.Sliding, data, expiry.TimeToLive is { } milliseconds ? milliseconds : RedisValue.EmptyString];
}
