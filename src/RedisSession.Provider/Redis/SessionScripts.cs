namespace RedisSession.Provider;

/// <summary>
/// The scripts. Each works on one key, is safe to apply twice (a write that timed out may have been applied), uses no
/// command that Redis, Valkey and Garnet do not all have, and takes the time from the server, so that the clocks of the
/// application's machines do not matter.
/// </summary>
internal static class SessionScripts
{
    // Sets `now`, the server's clock in unix milliseconds, as text.
    internal const string ServerTime = """
        local time = redis.call('TIME')
        local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))

        """;

    // How each script that changes a session begins. Sets `generation`, false where there is none, and `ttl`; removes a session past its
    // absolute end, and a tombstone whose time is over; answers nil when the session that was seen has ended.
    internal const string Begin = """
        local key, ttl, limit, seen = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
        local generation = redis.call('HGET', key, '@gen')
        if generation and limit ~= '0' then
        """ + "\n" + ServerTime + """
          local left = (tonumber(redis.call('HGET', key, '@created')) or tonumber(now)) + tonumber(limit) - tonumber(now)
          if left <= 0 then
            redis.call('UNLINK', key)
            generation = false
          elseif left < tonumber(ttl) then
            ttl = string.format('%.0f', left)
          end
        end
        if generation ~= seen and (seen ~= '' or generation and string.byte(generation) == 126) then
          local till = seen == '' and tonumber(string.match(generation, '^~(%d+)'))
          if not till then return false end
        """ + "\n" + ServerTime + """
          if tonumber(now) < till then return false end
          redis.call('UNLINK', key)
          generation = false
        end

        """;

    // How each goes on that may create the session.
    internal const string Create = """
        if not generation then
        """ + "\n" + ServerTime + """
          generation = ARGV[4]
          redis.call('HSET', key, '@gen', generation, '@created', now)
          if limit ~= '0' and tonumber(limit) < tonumber(ttl) then ttl = limit end
        end

        """;

    /// <summary>
    /// Everything a request changes, in one step. A script, because the existence check, the writes and the TTL must hold
    /// together: as separate commands a write could bring an ended session back, or leave a hash without a TTL.
    /// </summary>
    /// <remarks>
    /// <code>
    /// ARGV  1 idle timeout, ms            4 generation for a new hash
    ///       2 absolute timeout, ms, or 0      or '': it may not be made
    ///       3 generation seen, or ''      5 1 if it may create the hash + 2 if all user fields go + 4 for each removed field
    ///                                       then the removed fields, then field, value, field, value …
    /// returns  the hash's generation · '' nothing there, nothing written · nil the session that was seen has ended
    /// </code>
    /// </remarks>
    public static readonly RedisScript Change = new(Begin + """
        local form = tonumber(ARGV[5])
        if not generation and (ARGV[4] == '' or form % 2 == 0 and redis.call('EXISTS', key) == 0) then return '' end
        """ + "\n" + Create + """
        if form % 4 > 1 then
          local created, user, automatic = unpack(redis.call('HMGET', key, '@created', '@user', '@auto'))
          redis.call('UNLINK', key)
          redis.call('HSET', key, '@gen', generation)
          if created then redis.call('HSET', key, '@created', created) end
          if user then redis.call('HSET', key, '@user', user) end
          if automatic then redis.call('HSET', key, '@auto', automatic) end
        end
        local first = 6 + math.floor(form / 4)
        for i = 6, first - 1, 4000 do
          redis.call('HDEL', key, unpack(ARGV, i, math.min(i + 3999, first - 1)))
        end
        for i = first, #ARGV, 4000 do
          redis.call('HSET', key, unpack(ARGV, i, math.min(i + 3999, #ARGV)))
        end
        redis.call('PEXPIRE', key, ttl)
        return generation
        """);

    /// <summary>
    /// Refreshes the TTL where a plain PEXPIRE cannot. A script, because with an absolute timeout the TTL follows from the hash's
    /// @created, and because Garnet (seen in 2.2.8) breaks the connection at a PEXPIRE of a key that has just expired.
    /// </summary>
    /// <remarks>
    /// <c>ARGV 1 idle timeout, ms · 2 absolute timeout, ms, or 0; returns 1, also past the absolute end · 0 there was none</c>
    /// </remarks>
    public static readonly RedisScript Refresh = new("""
        local key, ttl, limit = KEYS[1], ARGV[1], tonumber(ARGV[2])
        local created = redis.call('HGET', key, '@created')
        if not created and redis.call('EXISTS', key) == 0 then return 0 end
        if created and limit > 0 then
        """ + "\n" + ServerTime + """
          local left = (tonumber(created) or tonumber(now)) + limit - tonumber(now)
          if left <= 0 then return redis.call('UNLINK', key) end
          if left < tonumber(ttl) then ttl = string.format('%.0f', left) end
        end
        return redis.call('PEXPIRE', key, ttl)
        """);
}
