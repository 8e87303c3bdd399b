namespace RedisSession.Provider;

/// <summary>
/// The scripts that record when an instance listened for expiries, and find out when none did. As in <see cref="SessionScripts"/>: one key
/// each, by the server's clock.
/// </summary>
/// <remarks>
/// <code>
/// key     {prefix}lifecycle   a hash, with a TTL
/// field   an instance         "since last judged": when it began to listen and when it last said so, in unix
///                             milliseconds; then 1 if it is known whether another listened before it
/// field   @until              until when an instance listened that no longer does
/// </code>
/// </remarks>
internal static class ListeningScripts
{
    // Anything the server may refuse comes before the first lasting change: Redis does not roll back a script that fails. By then, only the
    // TTL has changed.
    private const string Try = """
        redis.call('PEXPIRE', key, life)
        redis.call('HDEL', key, '')

        """;

    /// <summary>
    /// An instance reports that it listens, and learns of the period before it in which none did, if there was one. A script, because only
    /// one of several starting instances may be told, and because an instance is gone as soon as the others say so.
    /// </summary>
    /// <remarks>
    /// An instance that has long been silent may have listened until it died, and may still say so: until that is certain, nothing is
    /// reported. An interrupted instance knows by itself until when it listened: the record may be gone with all else the server had.
    /// <code>
    /// ARGV     1 instance   2 1 if not listening continuously since it last said so   3 ms after which a silent one is gone   4 ms to live
    ///          5 when it last said so, from that reply, or 0
    /// returns  {now, since, until} when nobody listened · {now}
    /// </code>
    /// </remarks>
    public static readonly RedisScript Beat = new(SessionScripts.ServerTime + """
        local key, me, begins, patience, life, said = KEYS[1], ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
        now = tonumber(now)
        local since, judged, until_, others, gone = now, '0', nil, {}, {}
        local all = redis.call('HGETALL', key)
        """ + "\n" + Try + """
        if begins and said > 0 then until_ = said end
        for i = 1, #all, 2 do
          local from, last, known = string.match(all[i + 1], '^(%d+) (%d+) (%d)$')
          from, last = tonumber(from), tonumber(last)
          if all[i] == '@until' then
            until_ = math.max(until_ or 0, tonumber(all[i + 1]))
          elseif all[i] == me and not begins then
            since, judged = from, known
          elseif all[i] == me or last < now - patience then
            until_ = math.max(until_ or 0, last)
            if all[i] ~= me then gone[#gone + 1] = all[i] end
          else
            others[#others + 1] = {all[i], from, last}
          end
        end
        local answer = {string.format('%.0f', now)}
        if judged == '0' then
          local covered, open = false, false
          for _, other in ipairs(others) do
            local earlier = other[2] < since or (other[2] == since and (begins or other[1] < me))
            if earlier and other[3] >= since then covered = true elseif earlier then open = true end
          end
          if covered or not open then judged = '1' end
          if not covered and not open and until_ and until_ < since then
            answer[2], answer[3] = string.format('%.0f', until_), string.format('%.0f', since)
          end
        end
        redis.call('HSET', key, me, string.format('%.0f %.0f %s', since, now, judged))
        if until_ then redis.call('HSET', key, '@until', string.format('%.0f', until_)) end
        for _, other in ipairs(gone) do redis.call('HDEL', key, other) end
        redis.call('PEXPIRE', key, life)
        return answer
        """, again: false);

    /// <summary>An instance no longer listens. A script, because the clock is the server's.</summary>
    /// <remarks><c>ARGV 1 instance · 2 ms to live; returns nothing useful</c></remarks>
    public static readonly RedisScript End = new(SessionScripts.ServerTime + """
        local key, me, life = KEYS[1], ARGV[1], ARGV[2]
        if not redis.call('HGET', key, me) then return 0 end
        local before = redis.call('HGET', key, '@until')
        """ + "\n" + Try + """
        if not before or tonumber(before) < tonumber(now) then redis.call('HSET', key, '@until', now) end
        redis.call('HDEL', key, me)
        return redis.call('PEXPIRE', key, life)
        """);
}
