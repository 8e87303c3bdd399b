namespace RedisSession.Provider;

/// <summary>
/// The scripts that take over another provider's legacy session. As in <see cref="SessionScripts"/>: one key each, by the server's clock.
/// The legacy session is under another key, which can be on another server of a cluster: first ours is created, then the legacy one is
/// marked as this session, and if another request marked it first, ours is removed again.
/// </summary>
internal static class TakeOverScripts
{
    /// <summary>
    /// Creates a session, unless there is one. A script, because only one of many concurrent attempts may create it and none may overwrite
    /// what has been written since, and so that there is never a hash without a TTL.
    /// </summary>
    /// <remarks>
    /// <code>
    /// ARGV  1 idle timeout, ms   2 absolute timeout, ms, or 0   3 generation, then field, value, field, value …
    /// returns  the hash's generation, a different one if there already was a hash · '' that one has none
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

    /// <summary>Removes a session. A script, because it must still be the same one, not another that now lives under its key.</summary>
    /// <remarks><c>ARGV 1 its generation; returns 1 · 0 there is no such session</c></remarks>
    public static readonly RedisScript Delete = new("""
        if redis.call('HGET', KEYS[1], '@gen') ~= ARGV[1] then return 0 end
        return redis.call('UNLINK', KEYS[1])
        """);
}
