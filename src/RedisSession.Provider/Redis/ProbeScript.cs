namespace RedisSession.Provider;

/// <summary>The script of the health check.</summary>
internal static class ProbeScript
{
    /// <summary>
    /// Writes a hash and removes it, with the commands that the change script needs. A script, because scripts are what it is about, and
    /// so that nobody sees the hash and nothing is left behind, whatever fails.
    /// </summary>
    /// <remarks><c>returns 1</c></remarks>
    public static readonly RedisScript WriteAndRemove = new("""
        redis.call('HSET', KEYS[1], '@gen', 'probe')
        redis.call('PEXPIRE', KEYS[1], 1000)
        return redis.call('UNLINK', KEYS[1])
        """);
}
