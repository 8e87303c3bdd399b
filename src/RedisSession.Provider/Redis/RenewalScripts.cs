namespace RedisSession.Provider;

/// <summary>
/// The scripts that give a session a new key, in two steps. The first creates the new session and leaves the old one as it is. The second,
/// when the response with the new cookie starts, carries over what others have written to the old one meanwhile, and ends it. Each is safe
/// to apply twice.
/// </summary>
/// <remarks>
/// <para>
/// If the old and new keys are on one server, Redis moves the data itself: these scripts use several keys of one session. In a cluster, the
/// keys are in different slots: there the data is copied in portions, and the old session is first put out of reach (<see cref="Park"/>),
/// in its own slot.
/// </para>
/// <para>
/// The old session stays parked until the response is known to have been sent: if the application dies in between, the visitor still has
/// the old cookie and, through <see cref="Revive"/>, the session. A sign-in with the old cookie meanwhile (a double click) gets its data
/// from there.
/// </para>
/// </remarks>
internal static class RenewalScripts
{
    // Copies a hash with all its TTLs, replacing what is there. By hand if the server does not know COPY, or the user may not use it; then
    // whatever may be refused is checked before anything is written.
    private const string CopyFunction = SessionScripts.May + """
        local function expiry(key, field)
          local at = redis.pcall('HPEXPIRETIME', key, 'FIELDS', 1, field)
          if type(at) ~= 'table' then return end
          if at.err and not string.find(string.lower(at.err), 'unknown') then redis.call('HPEXPIRETIME', key, 'FIELDS', 1, field) end
          if not at.err and at[1] and at[1] > 0 then return string.format('%.0f', at[1]) end
          return nil, at.err
        end

        local function copy(from, to, ttl)
          if type(redis.pcall('COPY', from, to, 'REPLACE')) ~= 'table' then return end
          local all, expiries, left = redis.call('HGETALL', from), {}, redis.call('PTTL', from)
          for i = 1, #all, 2 do
            local at, unknown = expiry(from, all[i])
            if unknown then break end
            if at then
              may('HPEXPIREAT', to, at, 'FIELDS', 1, all[i])
              expiries[all[i]] = at
            end
          end
          local key, kept = to, {}
          for i = 1, #all, 2 do kept[all[i]] = true end
          may('HSET', to, '@gen', '')
          may('HDEL', to, '@gen')
          may('HKEYS', to)
          for i = 1, #all, 4000 do
            redis.call('HSET', to, unpack(all, i, math.min(i + 3999, #all)))
            redis.call('PEXPIRE', to, left > 0 and left or ttl)
          end
        """ + "\n" + SessionScripts.Strip + """
          for field, at in pairs(expiries) do redis.call('HPEXPIREAT', to, at, 'FIELDS', 1, field) end
        end

        """;

    // Moves a hash to a key that holds none, or none that counts.
    private const string MoveFunction = """
        local function move(from, to, ttl)
          if not redis.pcall('RENAME', from, to).err then return end
          if redis.call('EXISTS', from) == 0 then
            redis.call('UNLINK', to)
            return
          end
          may('UNLINK', from)
          copy(from, to, ttl)
          redis.call('UNLINK', from)
        end

        """;

    // hasEnded: whether the session that was seen has. What is no longer parked because this takes long has not, unless somebody ended it.
    // park: puts the old session out of reach, unless it already is, and leaves a tombstone: until sealed, for as long as the parked session
    // may be put back. A sealed one stays sealed. If there is nothing, nothing is left.
    private const string ParkFunction = CopyFunction + MoveFunction + """
        local function hasEnded(old, parked, seen)
          local state, ended = unpack(redis.call('HMGET', old, '@gen', '@ended'))
          if state and string.byte(state) == 126 then
            state = redis.call('HGET', parked, '@gen') or not ended and seen
          end
          return seen ~= '' and state ~= seen
        end

        local function park(old, parked, ttl, tombstone, lease)
          local state = redis.call('HGET', old, '@gen')
          redis.call('PTTL', parked)
          redis.call('EXISTS', parked)
          may('HSET', old, '@gen', '')
          may('PEXPIRE', old, ttl)
          may('UNLINK', old)
        """ + "\n" + SessionScripts.ServerTime + """
          local isRenewed = state and string.byte(state) == 126
          if not isRenewed then
            move(old, parked, ttl)
            if redis.call('EXISTS', parked) == 0 then return end
            if redis.call('PTTL', parked) < 0 then redis.call('PEXPIRE', parked, ttl) end
          end
          local left = math.max(redis.call('PTTL', parked), tonumber(tombstone))
          local sealed = isRenewed and string.match(state, ':0$')
          if sealed then left = tonumber(tombstone) end
          lease = sealed and '0' or string.format('%.0f', now + lease)
          redis.call('HSET', old, '@gen', string.format('~%.0f:', now + left) .. lease)
          redis.call('PEXPIRE', old, string.format('%.0f', left + 1000))
        end

        """;

    // Finds the session, which may be parked because another request renewed it. Sets `from`, `state` (its generation), and `wrong` if it
    // is not the one that was seen. If its end was seen ('~' and its generation, if that is known), only the parked one counts.
    private const string Find = """
        local from, state = KEYS[1], redis.call('HGET', KEYS[1], '@gen')
        local isRenewed, hasEnded = state and string.byte(state) == 126, string.byte(seen) == 126
        if isRenewed then from, state = KEYS[2], redis.call('HGET', KEYS[2], '@gen') end
        if hasEnded then seen = string.sub(seen, 2) end
        local wrong = hasEnded and not isRenewed or seen ~= '' and state ~= seen

        """;

    // The permissions `Prepare` needs.
    private const string MayPrepare = SessionScripts.MayExpire + """
        may('HSET', key, '@gen', generation)
        if user ~= '' then may('HDEL', key, '@auto') end

        """;

    // Completes the new hash `key`: its owner and its lifetime. Sets `ttl`.
    private const string Prepare = """
        redis.call('HSET', key, '@gen', generation)
        if not redis.call('HGET', key, '@created') then redis.call('HSET', key, '@created', now) end
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
    /// The first step on one server: creates the new session from the old one, without a lock that another request holds: that one will
    /// never know the new key. A script, because the check of the old one and the copy must be atomic, and no hash may lack a TTL.
    /// </summary>
    /// <remarks>
    /// <code>
    /// KEYS  1 old   2 where it is parked, if it is   3 new
    /// ARGV  1 idle timeout, ms   2 absolute timeout, ms, or 0   3 generation seen, or '', maybe behind '~'   4 generation of the new one
    ///       5 user, or ''   6 token of the lock that the request holds, or ''
    /// returns  {generation of the old one, or '', its user, or '', ms to live, 1 if there was an old one} · nil it has ended
    /// </code>
    /// </remarks>
    public static readonly RedisScript Begin = new(CopyFunction + """
        local key, ttl, limit, seen, generation, user = KEYS[3], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
        local mine = ARGV[6] .. ':'

        """ + Find + """
        if wrong then return false end
        local exists, owner, held = redis.call('EXISTS', from), unpack(redis.call('HMGET', from, '@user', '@lock'))
        local isOthers = held and string.sub(held, 1, #mine) ~= mine
        """ + "\n" + SessionScripts.ServerTime + MayPrepare + """
        if isOthers then may('HDEL', key, '@lock') end
        if exists == 1 then copy(from, key, ttl) elseif redis.call('EXISTS', key) == 1 then redis.call('UNLINK', key) end
        if isOthers then redis.call('HDEL', key, '@lock') end

        """ + Prepare + """
        return {state or '', owner or '', tonumber(ttl), exists}
        """);

    /// <summary>
    /// The second step on one server. A script, because what others have written must be carried over up to the moment the old one ends.
    /// </summary>
    /// <remarks>
    /// A second renewal of the same session also carries over what it finds parked: each has all data.
    /// <code>
    /// KEYS  1 old   2 where it is parked   3 new
    /// ARGV  1 generation of the old one, or ''   2 generation of the new one   3 1 if the new one was cleared: nothing is carried over
    ///       4 idle timeout, ms   5 ms to keep the tombstone   6 ms until the lease ends
    ///       7 … the fields that the new one has changed itself
    /// returns  1 · 0 the old one has ended · nil the new one has
    /// </code>
    /// </remarks>
    public static readonly RedisScript Finish = new(ParkFunction + """
        local old, parked, key, seen = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
        local ours = redis.call('HMGET', key, '@gen', '@created', '@user', '@auto', '@lock')
        if ours[1] ~= ARGV[2] then return false end
        if hasEnded(old, parked, seen) then return 0 end
        local ttl, kept, expiries = string.format('%.0f', math.max(redis.call('PTTL', key), 1)), {}, {}
        for i = 7, #ARGV do
          kept[i] = redis.call('HGET', key, ARGV[i])
          if kept[i] then expiries[i] = expiry(key, ARGV[i]) end
          if expiries[i] then may('HPEXPIREAT', key, expiries[i], 'FIELDS', 1, ARGV[i]) end
        end
        may('HDEL', key, '@user')
        park(old, parked, ARGV[4], ARGV[5], ARGV[6])
        if ARGV[3] == '1' or redis.call('EXISTS', parked) == 0 then return 1 end
        copy(parked, key, ttl)
        redis.call('HDEL', key, '@user', '@auto', '@lock')
        redis.call('HSET', key, '@gen', ours[1], '@created', ours[2])
        redis.call('PEXPIRE', key, ttl)
        if ours[3] then redis.call('HSET', key, '@user', ours[3]) end
        if ours[4] then redis.call('HSET', key, '@auto', ours[4]) end
        if ours[5] then redis.call('HSET', key, '@lock', ours[5]) end
        for i = 7, #ARGV do
          if kept[i] then redis.call('HSET', key, ARGV[i], kept[i]) else redis.call('HDEL', key, ARGV[i]) end
          if expiries[i] then redis.call('HPEXPIREAT', key, expiries[i], 'FIELDS', 1, ARGV[i]) end
        end
        return 1
        """);

    /// <summary>
    /// Puts the old session out of reach, in its own slot; a second call extends the lease. A script, because the check, the move and the
    /// tombstone must be atomic.
    /// </summary>
    /// <remarks>
    /// <code>
    /// KEYS  1 old   2 where it is parked
    /// ARGV  1 its generation, or ''   2 idle timeout, ms   3 ms to keep the tombstone   4 ms until the lease ends
    /// returns  1 it is parked, or already was · 2 nothing is parked · 0 it has ended
    /// </code>
    /// </remarks>
    public static readonly RedisScript Park = new(ParkFunction + """
        local old, parked, seen = KEYS[1], KEYS[2], ARGV[1]
        if hasEnded(old, parked, seen) then return 0 end
        park(old, parked, ARGV[2], ARGV[3], ARGV[4])
        return 2 - redis.call('EXISTS', parked)
        """);

    /// <summary>
    /// Reads a portion of a session, with the expiries of its fields. A script, because both must be read at one moment, and because
    /// another request may park the session between two portions.
    /// </summary>
    /// <remarks>
    /// <code>
    /// KEYS  1 old   2 where it is parked, if it is
    /// ARGV  1 generation seen, or '', maybe behind '~'   2 cursor; 0 at first   3 about how many bytes
    /// returns  {cursor, generation or '', {field, value, …}, {unix ms or -1 for each field, or nothing}} · nil it has ended
    /// </code>
    /// </remarks>
    public static readonly RedisScript Read = new("""
        local seen = ARGV[1]

        """ + Find + """
        if wrong then return false end
        local cursor, all, expiries, bytes = ARGV[2], {}, {}, 0
        repeat
          local step = redis.call('HSCAN', from, cursor, 'COUNT', 5)
          cursor = step[1]
          for _, text in ipairs(step[2]) do
            all[#all + 1] = text
            bytes = bytes + #text
          end
        until cursor == '0' or bytes >= tonumber(ARGV[3])
        for i = 1, #all, 2 do
          local at = redis.pcall('HPEXPIRETIME', from, 'FIELDS', 1, all[i])
          if type(at) ~= 'table' then break end
          if at.err and not string.find(string.lower(at.err), 'unknown') then return at end
          if at.err then break end
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
    public static readonly RedisScript Write = new(SessionScripts.May + """
        local key, ttl, limit, generation, user = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
        if redis.call('HGET', key, '@gen') ~= generation and ARGV[5] ~= '1' then return false end
        local last = 6 + 3 * tonumber(ARGV[6])
        for i = 7, last, 3 do
          if ARGV[i + 2] ~= '0' then may('HPEXPIREAT', key, ARGV[i + 2], 'FIELDS', 1, ARGV[i]) end
        end
        for i = last + 1, #ARGV do may('HDEL', key, ARGV[i]) end
        """ + "\n" + SessionScripts.ServerTime + MayPrepare + """
        if ARGV[5] == '1' then
          may('HDEL', key, '@gen')
          may('HKEYS', key)
        end
        redis.call('HSET', key, '@gen', generation)
        redis.call('PEXPIRE', key, ttl)
        if ARGV[5] == '1' then
          local kept = {['@gen'] = true}
        """ + "\n" + SessionScripts.Strip + """
        end
        for i = 7, last, 3 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end

        """ + Prepare + """
        for i = 7, last, 3 do
          if ARGV[i + 2] ~= '0' then redis.call('HPEXPIREAT', key, ARGV[i + 2], 'FIELDS', 1, ARGV[i]) end
        end
        for i = last + 1, #ARGV do redis.call('HDEL', key, ARGV[i]) end
        return tonumber(ttl)
        """);

    /// <summary>
    /// The response was sent: the old session is no longer put back, and its tombstone need only outlive late requests. A script, because
    /// it must still be this tombstone.
    /// </summary>
    /// <remarks>
    /// <c>KEYS 1 old · 2 where it is parked; ARGV 1 ms to keep the tombstone, and what is parked, for a concurrent second renewal; returns
    /// 1 · 0 there is no tombstone (any more)</c>
    /// </remarks>
    public static readonly RedisScript Seal = new(SessionScripts.May + """
        local old, parked, tombstone = KEYS[1], KEYS[2], ARGV[1]
        local state = redis.call('HGET', old, '@gen')
        if not state or string.byte(state) ~= 126 then return 0 end
        if string.match(state, ':0$') then return 1 end
        may('PEXPIRE', parked, tombstone)
        """ + "\n" + SessionScripts.ServerTime + """
        redis.call('HSET', old, '@gen', string.format('~%.0f:0', now + tombstone))
        redis.call('PEXPIRE', old, string.format('%.0f', tombstone + 1000))
        redis.call('PEXPIRE', parked, tombstone)
        return 1
        """);

    /// <summary>
    /// Decides what becomes of the old session when a request brings its cookie. It is put back if the lease is over and the tombstone is
    /// not sealed: the application died before its response was sent. A script, because two may try, and because the clock is the server's.
    /// </summary>
    /// <remarks>
    /// <c>KEYS 1 old · 2 where it is parked; returns 1 there is no tombstone (any more) · 0 it has ended · 2 not certain yet</c>
    /// </remarks>
    public static readonly RedisScript Revive = new(CopyFunction + MoveFunction + """
        local old, parked = KEYS[1], KEYS[2]
        local state = redis.call('HGET', old, '@gen')
        if not state or string.byte(state) ~= 126 then return 1 end
        local till, lease = string.match(state, '^~(%d+):(%d+)$')
        if not till then return 0 end
        """ + "\n" + SessionScripts.ServerTime + """
        if lease ~= '0' and redis.call('EXISTS', parked) == 1 then
          if tonumber(now) < tonumber(lease) then return 2 end
          move(parked, old, till)
          return 1
        end
        local left = tonumber(till) - tonumber(now)
        if left <= 0 then
          redis.call('UNLINK', old)
          return 1
        end
        redis.call('PEXPIRE', old, string.format('%.0f', left + 1000))
        return 0
        """);
}
