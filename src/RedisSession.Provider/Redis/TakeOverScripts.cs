namespace RedisSession.Provider;

/// <summary>
/// The scripts that make a session of what another provider has left. As <see cref="SessionScripts"/>: one key each, by the server's clock.
/// What was left is under another key, which can be on another server of a cluster: first the session is made, then what was left is marked
/// as this very session, and if somebody was faster with that, the session is removed again.
/// </summary>
internal static class TakeOverScripts
{
    /// <summary>
    /// Makes a session, unless there is one. A script, because of many who try at once, one makes it and none overwrites what it or
    /// anybody has written since, and so that there is never a hash without a TTL.
    /// </summary>
    /// <remarks>
    /// <code>
    /// ARGV  1 idle timeout, ms   2 absolute timeout, ms, or 0   3 generation, then field, value, field, value …
    /// returns  the hash's generation, which is another one where there was a hash already · '' that one has none
    /// </code>
    /// </remarks>
    public static readonly RedisScript Create = new("""
        local key, ttl, limit, generation = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
        if redis.call('EXISTS', key) == 1 then return redis.call('HGET', key, '@gen') or '' end
        """ + "\n" + SessionScripts.ServerTime + """
        if limit > 0 and limit < tonumber(ttl) then ttl = ARGV[2] end
        """ + "\n" + SessionScripts.MayExpire + """
        redis.call('HSET', key, '@gen', generation, '@created', now)
        redis.call('PEXPIRE', key, ttl)
        for i = 4, #ARGV, 4000 do
          redis.call('HSET', key, unpack(ARGV, i, math.min(i + 3999, #ARGV)))
        end
        return generation
        """);

    /// <summary>Removes a session. A script, because it must still be the same, and not another one that lives under its key now.</summary>
    /// <remarks><c>ARGV 1 its generation; returns 1 · 0 there is no such session</c></remarks>
    public static readonly RedisScript Delete = new("""
        if redis.call('HGET', KEYS[1], '@gen') ~= ARGV[1] then return 0 end
        return redis.call('UNLINK', KEYS[1])
        """);
}
