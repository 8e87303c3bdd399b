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
    /// Commands that take memory come first: a server that has run out refuses them only until the script has written something.
    /// <code>
    /// ARGV     1 the kind: hash, list (of a user), text
    /// returns  the refused commands · the error, if the server refuses for another reason
    /// </code>
    /// </remarks>
    public static readonly RedisScript TryRights = new("""
        local key, kind, refused, failed = KEYS[1], ARGV[1], {}, nil
        local function try(...)
          local reply = redis.pcall(...)
          if type(reply) ~= 'table' or not reply.err then return end
          local text = string.lower(reply.err)
          local isRight = string.find(text, 'noperm') or string.find(text, 'no permissions') or string.find(text, 'executing the script')
          if isRight then refused[#refused + 1] = string.lower((...)) else failed = failed or reply end
        end
        if kind == 'hash' then
          try('HSET', key, '@gen', 'probe')
          try('HINCRBY', key, '@created', '1')
          try('HGET', key, '@gen')
          try('HMGET', key, '@gen')
          try('HGETALL', key)
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

    /// <summary>A session hash, a user's list, a text.</summary>
    public const string Hash = "hash", List = "list", Text = "text";

    /// <summary>The commands that the Redis user may not use on such a key.</summary>
    /// <exception cref="RedisException">The server refuses writes or scripts for another reason, or is unavailable.</exception>
    public static async Task<string[]> FindRefusedAsync(IDatabase database, RedisKey key, string kind) =>
        (string[])(await TryRights.RunAsync(database, key, [kind]).ConfigureAwait(false))!;
}
