namespace RedisSession.Provider;

/// <summary>
/// The scripts of the cache. Each works on one key and is safe to apply twice. The time comes with the call: an absolute expiration is a
/// time that an application has said by its own clock, and instances of RedisCache beside us go by theirs.
/// </summary>
/// <remarks>
/// <code>
/// key     {InstanceName}{key}
/// fields  absexp   the absolute expiration in ticks (100 ns since the year 1, UTC), or -1
///         sldexp   the sliding expiration in ticks, or -1
///         data     the value
/// TTL     the nearer of the two, in milliseconds; none when there is neither
/// </code>
/// </remarks>
internal static class CacheScripts
{
    /// <summary>The field that holds the value.</summary>
    public const string Data = "data";

    // Gives an entry with a sliding expiration its time again, no longer than to its absolute end; removes it past that. Needs
    // `key`, `absolute` and `sliding`, and the time in ARGV 1, in milliseconds since the year 1: ticks do not fit into Lua's numbers.
    private static readonly string Renew = $"""
        local window, limit = tonumber(sliding), tonumber(absolute)
        if window and window > 0 then
          local ttl = math.min(math.ceil(window / 10000), {CacheExpiry.NeverMilliseconds})
          if limit and limit >= 0 then ttl = math.min(ttl, math.floor(limit / 10000) - tonumber(ARGV[1])) end
          if ttl <= 0 then
            redis.call('UNLINK', key)
            return false
          end
          redis.call('PEXPIRE', key, string.format('%.0f', ttl))
        end

        """;

    /// <summary>
    /// Reads an entry, and renews it if it slides. A script, because only the entry says whether and how far to renew it: as commands
    /// that is a second round trip, which may meet another entry than the one that was read.
    /// </summary>
    /// <remarks><c>ARGV 1 now, ms since the year 1; returns the data · nil no such entry</c></remarks>
    public static readonly RedisScript Get = new("""
        local key = KEYS[1]
        local absolute, sliding, data = unpack(redis.call('HMGET', key, 'absexp', 'sldexp', 'data'))

        """ + Renew + """
        return data
        """);

    /// <summary>Renews an entry if it slides, without touching its data. A script for the same reason.</summary>
    /// <remarks><c>ARGV 1 now, ms since the year 1; returns nil the entry was past its end · else 1</c></remarks>
    public static readonly RedisScript Refresh = new("""
        local key = KEYS[1]
        local absolute, sliding = unpack(redis.call('HMGET', key, 'absexp', 'sldexp'))

        """ + Renew + """
        return 1
        """);

    /// <summary>
    /// Writes an entry in the place of what there is. A script, because an entry that is to expire must never be without its TTL, and
    /// nothing of the entry before it may stay: no field, no TTL. What is not a hash is not overwritten: the HGET fails.
    /// </summary>
    /// <remarks><c>ARGV 1 absexp · 2 sldexp · 3 data · 4 TTL in ms, or ''; returns nothing of use</c></remarks>
    public static readonly RedisScript Set = new("""
        local key = KEYS[1]
        redis.call('HGET', key, 'absexp')
        redis.call('UNLINK', key)
        redis.call('HSET', key, 'absexp', ARGV[1], 'sldexp', ARGV[2], 'data', ARGV[3])
        if ARGV[4] ~= '' then redis.call('PEXPIRE', key, ARGV[4]) end
        return 1
        """);
}
