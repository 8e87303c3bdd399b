namespace RedisSession.Provider;

/// <summary>
/// The scripts that give a session a new key, in two steps. The first makes the new session, while the old one stays as it is. The second,
/// when the response starts with the new cookie in it, carries over what others have written to the old one meanwhile, and ends that. Each is
/// safe to apply twice.
/// </summary>
/// <remarks>
/// <para>
/// Where old and new key are on one server, Redis moves the data itself: these scripts use several keys, whose sessions are one. In a cluster
/// the keys are in different slots: there the data travels in portions, and the old session is first taken out of everybody's reach
/// (<see cref="Park"/>), in its own slot.
/// </para>
/// <para>
/// The old session is parked until it is certain that the response was sent: if the application dies in between, the visitor has the old
/// cookie still, and with <see cref="Revive"/> his session.
/// </para>
/// </remarks>
internal static class RenewalScripts
{
    // Copies a hash with all its TTLs, in the place of what is there. By hand where the server does not know COPY, or the user may not use it.
    private const string CopyFunction = """
        local function copy(from, to)
          if type(redis.pcall('COPY', from, to, 'REPLACE')) ~= 'table' then return end
          local all, left = redis.call('HGETALL', from), redis.call('PTTL', from)
          redis.call('UNLINK', to)
          for i = 1, #all, 4000 do
            redis.call('HSET', to, unpack(all, i, math.min(i + 3999, #all)))
            if left > 0 then redis.call('PEXPIRE', to, left) end
          end
          for i = 1, #all, 2 do
            local at = redis.pcall('HPEXPIRETIME', from, 'FIELDS', 1, all[i])
            if type(at) ~= 'table' or at.err then break end
            if at[1] > 0 then redis.call('HPEXPIREAT', to, string.format('%.0f', at[1]), 'FIELDS', 1, all[i]) end
          end
        end

        """;

    // Takes the old session out of everybody's reach and leaves a tombstone. `state` is its generation.
    private const string ParkFunction = """
        local function park(old, parked, tombstone, lease)
        """ + "\n" + SessionScripts.ServerTime + """
          if type(redis.pcall('RENAME', old, parked)) == 'table' and redis.call('EXISTS', old) == 1 then
            copy(old, parked)
            redis.call('UNLINK', old)
          end
          redis.call('HSET', old, '@gen', string.format('~%.0f:%.0f', now + tombstone, now + lease))
          redis.call('PEXPIRE', old, tombstone)
        end

        """;

    // Ends the preparation of the new hash `key`: whose it is, and how long it lives. Sets `ttl`.
    private const string Prepare = """
        redis.call('HSET', key, '@gen', generation)
        redis.call('HSETNX', key, '@created', now)
        if user ~= '' then
          redis.call('HDEL', key, '@auto')
          redis.call('HSET', key, '@user', user)
        end
        if limit > 0 then
          local left = (tonumber(redis.call('HGET', key, '@created')) or tonumber(now)) + limit - tonumber(now)
          if left < tonumber(ttl) then ttl = string.format('%.0f', math.max(left, 1)) end
        end
        redis.call('PEXPIRE', key, ttl)

        """;

    /// <summary>
    /// The first step on one server: makes the new session of the old one. A script, because the look at the old one and the copy must hold
    /// together, and there is never a hash without a TTL.
    /// </summary>
    /// <remarks>
    /// <code>
    /// KEYS  1 old   2 new
    /// ARGV  1 idle timeout, ms   2 absolute timeout, ms, or 0   3 generation seen, or ''   4 generation of the new one   5 user, or ''
    /// returns  {generation of the old one, or '', its user, or '', ms to live, 1 if there was an old one} · nil it has ended
    /// </code>
    /// </remarks>
    public static readonly RedisScript Begin = new(CopyFunction + """
        local old, key, ttl, limit, seen, generation, user = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
        local state, owner = unpack(redis.call('HMGET', old, '@gen', '@user'))
        if state ~= seen and (seen ~= '' or state and string.byte(state) == 126) then return false end
        redis.call('PEXPIRE', key, ttl)
        local exists = redis.call('EXISTS', old)
        """ + "\n" + SessionScripts.ServerTime + """
        if exists == 1 then copy(old, key) end
        """ + "\n" + Prepare + """
        return {state or '', owner or '', tonumber(ttl), exists}
        """);

    /// <summary>
    /// The second step on one server. A script, because what others have written must be carried over up to the moment at which the old
    /// session ends.
    /// </summary>
    /// <remarks>
    /// What a second renewal of the same session finds parked it carries over, too: each has all data.
    /// <code>
    /// KEYS  1 old   2 new   3 where the old one is parked
    /// ARGV  1 generation of the old one, or ''   2 generation of the new one   3 1 if the new one was cleared: nothing is carried over
    ///       4 ms to keep the tombstone           5 ms until the lease ends     6 … the fields that the new one has changed itself
    /// returns  1 · 0 the old one has ended · nil the new one has
    /// </code>
    /// </remarks>
    public static readonly RedisScript Finish = new(CopyFunction + ParkFunction + """
        local old, key, parked, seen = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
        local ours = redis.call('HMGET', key, '@gen', '@created', '@user', '@auto')
        if ours[1] ~= ARGV[2] then return false end
        local state = redis.call('HGET', old, '@gen')
        local isRenewed = state and string.byte(state) == 126
        if not isRenewed and seen ~= '' and state ~= seen then return 0 end
        if not isRenewed then park(old, parked, ARGV[4], ARGV[5]) end
        if ARGV[3] == '1' or redis.call('EXISTS', parked) == 0 then return 1 end
        local ttl, kept, expiries = redis.call('PTTL', key), {}, {}
        for i = 6, #ARGV do
          kept[i] = redis.call('HGET', key, ARGV[i])
          local at = redis.pcall('HPEXPIRETIME', key, 'FIELDS', 1, ARGV[i])
          if type(at) == 'table' and not at.err and at[1] > 0 then expiries[i] = string.format('%.0f', at[1]) end
        end
        copy(parked, key)
        redis.call('PEXPIRE', key, ttl)
        redis.call('HDEL', key, '@user', '@auto')
        redis.call('HSET', key, '@gen', ours[1], '@created', ours[2])
        if ours[3] then redis.call('HSET', key, '@user', ours[3]) end
        if ours[4] then redis.call('HSET', key, '@auto', ours[4]) end
        for i = 6, #ARGV do
          if kept[i] then redis.call('HSET', key, ARGV[i], kept[i]) else redis.call('HDEL', key, ARGV[i]) end
          if expiries[i] then redis.call('HPEXPIREAT', key, expiries[i], 'FIELDS', 1, ARGV[i]) end
        end
        return 1
        """);

    /// <summary>
    /// Takes the old session out of everybody's reach, in its own slot. A script, because the look at it, its move and the tombstone must
    /// hold together.
    /// </summary>
    /// <remarks>
    /// <code>
    /// KEYS  1 old   2 where it is parked
    /// ARGV  1 its generation, or ''   2 ms to keep the tombstone   3 ms until the lease ends
    /// returns  1, also where it was renewed before · 0 it has ended
    /// </code>
    /// </remarks>
    public static readonly RedisScript Park = new(CopyFunction + ParkFunction + """
        local old, parked, seen = KEYS[1], KEYS[2], ARGV[1]
        local state = redis.call('HGET', old, '@gen')
        if state and string.byte(state) == 126 then return 1 end
        if seen ~= '' and state ~= seen then return 0 end
        park(old, parked, ARGV[2], ARGV[3])
        return 1
        """);

    /// <summary>
    /// Reads a portion of a session, with the expiries of its fields. A script, because they must be of one moment.
    /// </summary>
    /// <remarks>
    /// <code>
    /// KEYS  1 old, or where it is parked
    /// ARGV  1 generation seen, or ''   2 cursor; 0 at first   3 about how many fields
    /// returns  {cursor, generation or '', {field, value, …}, {unix ms or -1 for each field, or nothing}} · nil it has ended
    /// </code>
    /// </remarks>
    public static readonly RedisScript Read = new("""
        local key, seen = KEYS[1], ARGV[1]
        local state = redis.call('HGET', key, '@gen')
        if state ~= seen and (seen ~= '' or state and string.byte(state) == 126) then return false end
        local cursor, all = unpack(redis.call('HSCAN', key, ARGV[2], 'COUNT', ARGV[3]))
        local expiries = {}
        for i = 1, #all, 2 do
          local at = redis.pcall('HPEXPIRETIME', key, 'FIELDS', 1, all[i])
          if type(at) ~= 'table' or at.err then break end
          expiries[#expiries + 1] = at[1]
        end
        return {cursor, state or '', all, expiries}
        """);

    /// <summary>
    /// Writes a portion of a session under its new key. A script, so that there is never a hash without a TTL; and because a session that
    /// was ended under its new key must not be brought back.
    /// </summary>
    /// <remarks>
    /// <code>
    /// KEYS  1 new
    /// ARGV  1 idle timeout, ms   2 absolute timeout, ms, or 0   3 generation of the new one   4 user, or ''   5 1 for the first portion
    ///       6 fields to be set, then field, value, unix ms or 0, …, then the fields to be removed
    /// returns  ms to live · nil it has ended
    /// </code>
    /// </remarks>
    public static readonly RedisScript Write = new("""
        local key, ttl, limit, generation, user = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
        if ARGV[5] ~= '1' and redis.call('HGET', key, '@gen') ~= generation then return false end
        redis.call('PEXPIRE', key, ttl)
        """ + "\n" + SessionScripts.ServerTime + """
        local last = 6 + 3 * tonumber(ARGV[6])
        for i = 7, last, 3 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
        """ + "\n" + Prepare + """
        for i = 7, last, 3 do
          if ARGV[i + 2] ~= '0' then redis.call('HPEXPIREAT', key, ARGV[i + 2], 'FIELDS', 1, ARGV[i]) end
        end
        for i = last + 1, #ARGV do redis.call('HDEL', key, ARGV[i]) end
        return tonumber(ttl)
        """);

    /// <summary>
    /// The response was sent: the old session is not put back any more. A script, because it must still be this tombstone.
    /// </summary>
    /// <remarks><c>KEYS 1 old · 2 where it is parked; ARGV 1 ms to keep what is parked, for a second renewal at the same time</c></remarks>
    public static readonly RedisScript Seal = new("""
        local state = redis.call('HGET', KEYS[1], '@gen')
        local till = state and string.match(state, '^(~%d+):')
        if not till then return 0 end
        redis.call('HSET', KEYS[1], '@gen', till .. ':0')
        redis.call('PEXPIRE', KEYS[2], ARGV[1])
        return 1
        """);

    /// <summary>
    /// Puts the old session back, where the lease is over and nobody has sealed the tombstone: the application has died before its response
    /// was sent. A script, because of two who try, and because the clock is the server's.
    /// </summary>
    /// <remarks><c>KEYS 1 old · 2 where it is parked; returns 1 · 0 it stays as it is</c></remarks>
    public static readonly RedisScript Revive = new(CopyFunction + """
        local state = redis.call('HGET', KEYS[1], '@gen')
        local lease = state and tonumber(string.match(state, '^~%d+:(%d+)$'))
        """ + "\n" + SessionScripts.ServerTime + """
        if not lease or lease == 0 or tonumber(now) < lease or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
        redis.call('UNLINK', KEYS[1])
        if type(redis.pcall('RENAME', KEYS[2], KEYS[1])) == 'table' and redis.call('EXISTS', KEYS[2]) == 1 then
          copy(KEYS[2], KEYS[1])
          redis.call('UNLINK', KEYS[2])
        end
        return 1
        """);
}
