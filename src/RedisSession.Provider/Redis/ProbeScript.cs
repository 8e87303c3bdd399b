using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The health check's script.</summary>
internal static class ProbeScript
{
    /// <summary>
    /// Tries the commands sent to one kind of key, directly or in scripts, on a key of its own, and returns those refused for lack of
    /// permission. A script, because scripts are what it checks, and so that nobody sees what it writes and nothing of it is left.
    /// </summary>
    /// <remarks>
    /// Commands that take memory come first: a server that has run out refuses them only until the script has written something. Not every
    /// server has those for keys that expire on their own: a new session key needs to see whether there are any, and a user who may set an
    /// expiry needs to move it.
    /// <code>
    /// ARGV     1 the kind: hash, hash whose data the application moves to a new key, list (of a user), text
    /// returns  the refused commands · the error, if the server refuses for another reason
    /// </code>
    /// </remarks>
    public static readonly RedisScript TryRights = new("""
        local key, kind, refused, failed = KEYS[1], ARGV[1], {}, nil
        local function errorOf(...)
          local reply = redis.pcall(...)
          if type(reply) == 'table' and reply.err then return string.lower(reply.err), reply end
        end
        local function try(...)
          local text, reply = errorOf(...)
          if not text then return end
          local isRight = string.find(text, 'noperm') or string.find(text, 'no permissions') or string.find(text, 'executing the script')
          if isRight then refused[#refused + 1] = string.lower((...)) else failed = failed or reply end
        end
        local isMoved = kind == 'moved hash'
        if isMoved or kind == 'hash' then
          local mayExpire = not errorOf('HPEXPIRE', key, '1000', 'FIELDS', '1', 'none')
          if mayExpire then try('HPEXPIREAT', key, '9999999999999', 'FIELDS', '1', 'none') end
          local text = errorOf('HPEXPIRETIME', key, 'FIELDS', '1', 'none')
          local isKnown = not (text and string.find(text, 'unknown'))
          if isKnown then try('HPEXPIRETIME', key, 'FIELDS', '1', 'none') end
          if isMoved then try('HSCAN', key, '0') end
          try('HSET', key, '@gen', 'probe')
          try('HINCRBY', key, '@created', '1')
          try('HGET', key, '@gen')
          try('HMGET', key, '@gen')
          try('HGETALL', key)
          try('HKEYS', key)
          try('EXISTS', key)
          try('PTTL', key)
          try('EXPIRE', key, '1')
          try('HDEL', key, '@gen', '@created')
        elseif kind == 'list' then
          try('ZADD', key, '1', 'probe')
          try('ZSCORE', key, 'probe')
          try('ZRANGE', key, '-1', '-1')
          try('ZREM', key, 'probe')
          try('ZREMRANGEBYSCORE', key, '-inf', '1')
        else
          try('SET', key, '', 'PX', '1000')
          try('SETEX', key, '1', '')
          try('PSETEX', key, '1000', '')
          try('GET', key)
        end
        if kind ~= 'text' then
          try('TIME')
          try('PEXPIRE', key, '1000')
        end
        try('UNLINK', key)
        return failed or refused
        """);

    /// <summary>
    /// A session hash; one whose data is read and written in portions to give it a new key, see <see cref="RenewalScripts.Read"/>; a user's
    /// list; a text.
    /// </summary>
    public const string Hash = "hash", MovedHash = "moved hash", List = "list", Text = "text";

    /// <summary>The commands that the Redis user may not use on such a key.</summary>
    /// <exception cref="RedisException">The server refuses writes or scripts for another reason, or is unavailable.</exception>
    public static async Task<string[]> FindRefusedAsync(IDatabase database, RedisKey key, string kind) =>
        (string[])(await TryRights.RunAsync(database, key, [kind]).ConfigureAwait(false))!;
}
