namespace RedisSession.Provider;

/// <summary>
/// The scripts that deal with a session's owner. As in <see cref="SessionScripts"/>: one key each, safe to apply twice, by the server's
/// clock. A session and its user's list can live on different servers of a cluster, so no script maintains both: a session is listed before
/// it is bound, and a reader of a list asks the sessions for their owner.
/// </summary>
internal static class UserScripts
{
    /// <summary>
    /// Returns a session's owner, and binds it to the request's user if it has none or was bound by such a request before; a binding that
    /// the application made by RenewSessionAsync stays. A script, because it must neither bring back an ended session nor overwrite a
    /// binding made between the check and the write. Restores the expiry of a tombstone that was refreshed.
    /// </summary>
    /// <remarks>
    /// <code>
    /// ARGV     1 the request's user, or ''   2 generation seen, or ''   3 idle timeout, ms   4 absolute timeout, ms, or 0
    /// returns  {user or '', the previous user, or '', ms to live unless it is used again, generation}
    ///          · nil there is no such session
    /// </code>
    /// </remarks>
    public static readonly RedisScript Bind = new("""
        local key, user, seen, ttl, limit = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
        local generation, created, bound, automatic = unpack(redis.call('HMGET', key, '@gen', '@created', '@user', '@auto'))
        if generation and string.byte(generation) == 126 then
          local till = string.match(generation, '^~(%d+):0$')
        """ + "\n" + SessionScripts.ServerTime + """
          if till then redis.call('PEXPIRE', key, string.format('%.0f', math.max(till - now, 0) + 1000)) end
          return false
        end
        if not generation or (seen ~= '' and generation ~= seen) then return false end
        if limit > 0 then
        """ + "\n" + SessionScripts.ServerTime + """
          local left = (tonumber(created) or tonumber(now)) + limit - tonumber(now)
          ttl = math.min(ttl, math.max(left, 1))
        end
        local before = ''
        if user ~= '' and bound ~= user and (automatic or not bound) then
          redis.call('HSET', key, '@user', user, '@auto', '1')
          before, bound = bound or '', user
        end
        return {bound or '', before, ttl, generation}
        """);

    /// <summary>
    /// Ends a session. A script, because the user must be known, for the user's list, and must still be the intended one, when the session
    /// goes.
    /// </summary>
    /// <remarks>
    /// A session whose key was renewed has ended, but must not be put back either, nor go on with a second renewal that is under way. Only
    /// then is the second key named: while a cluster moves a slot, it refuses scripts of two keys unless both are there.
    /// <code>
    /// KEYS     1 session   2 where it is parked, if it was renewed; missing at first
    /// ARGV     1 the required owner, or ''   2 '1' if it must be a hash
    /// returns  the user or '' · nil there was none, or it is not as required · 1 it was renewed: run again with the second key
    /// </code>
    /// </remarks>
    public static readonly RedisScript End = new(SessionScripts.May + """
        local key, parked = KEYS[1], KEYS[2]
        local state = redis.pcall('HGET', key, '@gen')
        local isHash = type(state) ~= 'table'
        if not isHash and not string.find(state.err, 'WRONGTYPE') then return state end
        if isHash and state and string.byte(state) == 126 then
          if not parked then return 1 end
          if ARGV[1] == '' or redis.call('HGET', parked, '@user') == ARGV[1] then
            may('UNLINK', parked)
            redis.call('HSET', key, '@ended', '1')
            redis.call('UNLINK', parked)
          end
          return false
        end
        if not isHash and ARGV[2] == '1' then return false end
        local user = isHash and redis.call('HGET', key, '@user') or ''
        if ARGV[1] ~= '' and user ~= ARGV[1] then return false end
        if redis.call('UNLINK', key) == 0 then return false end
        return user
        """, again: false);

    /// <summary>
    /// Keeps a session in a list for a given time, or removes it if it has not been kept since. A script, because the entry, its effect on
    /// the list's TTL, and the removal of expired entries must be atomic: a list is never left without a TTL, and ends with its last entry.
    /// In microseconds, so that no two calls write the same: a stamp tells whose entry it is. Where all others have expired, they go after
    /// the new one is there: see <see cref="SessionScripts.Strip"/>.
    /// </summary>
    /// <remarks>
    /// <c>ARGV 1 session id · 2 ms to keep it, or 0 to remove it · 3 the stamp that it must then have; returns the stamp of a new entry;
    /// nil: it existed, and others may rely on it</c>
    /// </remarks>
    public static readonly RedisScript Keep = new("""
        local key, id, ttl, stamp = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        if ttl == 0 and redis.call('ZSCORE', key, id) ~= stamp then return stamp end
        local tail, last = redis.call('ZRANGE', key, -2, -1, 'WITHSCORES'), nil
        local isListed = false
        for i = 1, #tail, 2 do
          local lives = tonumber(tail[i + 1]) > now
          if lives and tail[i] == id then isListed = true elseif lives then last = tail[i + 1] end
        end
        redis.call('ZREMRANGEBYSCORE', key, '-inf', last and string.format('%.0f', now) or '0')
        local ends = math.max(tonumber(last) or 0, now + ttl * 1000)
        local left = string.format('%.0f', math.ceil((ends - now) / 1000))
        if ttl > 0 or last then redis.call('PEXPIRE', key, left) end
        if ttl == 0 then
          if last then redis.call('ZREM', key, id) else redis.call('UNLINK', key) end
        else
          stamp = string.format('%.0f', now + ttl * 1000)
          local isNew = redis.call('ZADD', key, stamp, id) == 1 or not (last or isListed)
          if not last then
            redis.call('PEXPIRE', key, left)
            if #tail > 0 then redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now)) end
          end
          if not isNew then stamp = false end
        end
        return stamp
        """);
}
