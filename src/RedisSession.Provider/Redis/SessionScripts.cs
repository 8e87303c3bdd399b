using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The scripts. Each works on one key, is safe to apply twice (a write that timed out may have been applied), uses only commands that
/// Redis, Valkey and Garnet all have, and takes the time from the server, so that the clocks of the application's machines do not matter.
/// Whatever the Redis user may be refused comes before anything is written, because Redis does not roll back: a script happens completely
/// or not at all, and there is never a hash without a TTL.
/// </summary>
internal static class SessionScripts
{
    // How many fields and values go into one command: the limit of Lua's unpack.
    private const int LargestPlainChange = 4000;

    // Sets `now`, the server's clock in unix milliseconds, as text.
    internal const string ServerTime = """
        local time = redis.call('TIME')
        local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))

        """;

    // Removes the fields of `key` that are not in `kept`, which names at least one that is there. Never with UNLINK: while a cluster moves
    // the key's slot, a script cannot touch a key again that it has removed, and Redis does not roll back.
    internal const string Strip = """
        local gone = {}
        for _, field in ipairs(redis.call('HKEYS', key)) do
          if not kept[field] then gone[#gone + 1] = field end
        end
        for i = 1, #gone, 4000 do
          redis.call('HDEL', key, unpack(gone, i, math.min(i + 3999, #gone)))
        end

        """;

    // The beginning of each script that changes a session. Sets `generation` (false if there is none), `ttl`, and `fresh` if that was set
    // lately; returns nil if the session that was seen has ended. What is `over`, a session past its absolute timeout or an expired
    // tombstone, becomes a tombstone that has expired and is soon gone. A script that creates nothing in its place ends with `Leave`.
    internal const string Begin = """
        local key, ttl, limit, seen = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
        local fresh = string.byte(ttl) == 45
        if fresh then ttl = string.sub(ttl, 2) end
        local generation, over = redis.call('HGET', key, '@gen'), false
        if generation and limit ~= '0' then
        """ + "\n" + ServerTime + """
          local left = (tonumber(redis.call('HGET', key, '@created')) or tonumber(now)) + tonumber(limit) - tonumber(now)
          if left <= 0 then
            over = true
          elseif left < tonumber(ttl) then
            ttl = string.format('%.0f', left)
          end
        end
        if not over and generation ~= seen and (seen ~= '' or generation and string.byte(generation) == 126) then
          local till = seen == '' and tonumber(string.match(generation, '^~(%d+)'))
          if not till then return false end
        """ + "\n" + ServerTime + """
          if tonumber(now) < till then return false end
          over = true
        end
        if over then
          generation = false
          redis.call('HSET', key, '@gen', '~0:0')
          redis.call('PEXPIRE', key, 1000)
          local kept = {['@gen'] = true}
        """ + "\n" + Strip + """
          if seen ~= '' then return false end
        end

        """;

    internal const string Leave = "if over then redis.call('UNLINK', key) end\n";

    // Refuses what follows if the user may not use a command. Checked, not tried: once a script has written, even a TTL, Redis lets it go
    // on past maxmemory. Before Redis 7.0, and on Garnet, nothing is checked.
    internal const string May = """
        local function may(...)
          if redis.acl_check_cmd and not redis.acl_check_cmd(...) then redis.call(...) end
        end

        """;

    // The same for the TTL of `key`, which is tried if the server cannot check: nothing may be left without one.
    internal const string MayExpire = """
        if not (redis.acl_check_cmd and redis.acl_check_cmd('PEXPIRE', key, ttl)) then redis.call('PEXPIRE', key, ttl) end

        """;

    // The next part of each script that may create the session. `End` must follow.
    internal const string Create = "if not (generation and fresh) then\n" + MayExpire + "end\n" + """
        if not generation then
        """ + "\n" + ServerTime + """
          generation = ARGV[4]
          if limit ~= '0' and tonumber(limit) < tonumber(ttl) then ttl = limit end
          redis.call('HSET', key, '@gen', generation, '@created', now)
          redis.call('PEXPIRE', key, ttl)
          fresh = true
        end

        """;

    // The end of each, when everything is written: sets the TTL if there is none or it was not set lately.
    internal const string End = """
        if not fresh then redis.call('PEXPIRE', key, ttl) end

        """;

    /// <summary>
    /// The usual change: sets keys in a session that was seen. A script, because the identity check and the write must be atomic: as
    /// separate commands, a write could bring back an ended session. Costs the server half as much as <see cref="Change"/>.
    /// </summary>
    /// <remarks>
    /// <c>ARGV 1 generation seen · 2 TTL in ms, or '' if that was set lately, then field, value, …; returns as Change</c>
    /// </remarks>
    public static readonly RedisScript Set = new("""
        if redis.call('HGET', KEYS[1], '@gen') ~= ARGV[1] then return false end
        local key, ttl = KEYS[1], ARGV[2]
        if ttl == '' then
          redis.call('HSET', key, unpack(ARGV, 3))
          return ARGV[1]
        end
        """ + "\n" + MayExpire + """
        redis.call('HSET', key, unpack(ARGV, 3))
        redis.call('PEXPIRE', key, ttl)
        return ARGV[1]
        """);

    /// <summary>
    /// Everything a request changes, in one step. A script, because the existence check, the writes and the TTL must be atomic: as separate
    /// commands, a write could bring back an ended session, or leave a hash without a TTL.
    /// </summary>
    /// <remarks>
    /// <code>
    /// ARGV  1 idle timeout, ms, with a minus where the TTL was set lately   4 generation for a new hash
    ///       2 absolute timeout, ms, or 0                                      or '': must not be created
    ///       3 generation seen, or ''      5 1 if it may create the hash + 2 if all user fields go + 4 for each removed field
    ///                                       then the removed fields, then field, value, field, value …
    /// returns  the hash's generation · '' nothing there, nothing written · nil the session that was seen has ended
    /// </code>
    /// </remarks>
    public static readonly RedisScript Change = new(Begin + """
        local form, isNew = tonumber(ARGV[5]), over or not generation and redis.call('EXISTS', key) == 0
        if not generation and (ARGV[4] == '' or form % 2 == 0 and isNew) then
        """ + "\n" + Leave + """
          return ''
        end
        """ + "\n" + Create + """
        local clears, first = not isNew and form % 4 > 1, 6 + math.floor(form / 4)
        if clears or not isNew and form > 4 and form % 2 == 1 then redis.call('HSET', key, '@gen', generation) end
        if clears then
        """ + "\n" + MayExpire + """
          local kept = {['@gen'] = true, ['@created'] = true, ['@user'] = true, ['@auto'] = true, ['@lock'] = true}
        """ + "\n" + Strip + """
          fresh = false
        end
        for i = 6, isNew and 0 or first - 1, 4000 do
          redis.call('HDEL', key, unpack(ARGV, i, math.min(i + 3999, first - 1)))
        end
        for i = first, #ARGV, 4000 do
          redis.call('HSET', key, unpack(ARGV, i, math.min(i + 3999, #ARGV)))
        end

        """ + End + "return generation");

    /// <summary>
    /// Refreshes the TTL where a plain PEXPIRE cannot. A script, because with an absolute timeout the TTL depends on the hash's @created,
    /// and because Garnet (seen in 2.2.8) drops the connection on a PEXPIRE of a key that has just expired. A tombstone, which has no
    /// @created, is not kept longer than a new session would live.
    /// </summary>
    /// <remarks>
    /// <c>ARGV 1 idle timeout, ms · 2 absolute timeout, ms, or 0; returns 1, also past the absolute end · 0 there was none</c>
    /// </remarks>
    public static readonly RedisScript Refresh = new("""
        local key, ttl, limit = KEYS[1], ARGV[1], tonumber(ARGV[2])
        local created = redis.call('HGET', key, '@created')
        if not created and redis.call('EXISTS', key) == 0 then return 0 end
        if limit > 0 then
        """ + "\n" + ServerTime + """
          local left = (tonumber(created) or tonumber(now)) + limit - tonumber(now)
          if left <= 0 then return redis.call('UNLINK', key) end
          if left < tonumber(ttl) then ttl = string.format('%.0f', left) end
        end
        return redis.call('PEXPIRE', key, ttl)
        """);

    /// <summary>The script for <paramref name="changes"/>, and its arguments.</summary>
    /// <param name="changes">What a request has changed.</param>
    /// <param name="expiry">The session's timeouts.</param>
    /// <param name="isFresh">The TTL was set lately.</param>
    /// <param name="generationSeen">Null while the request has seen nothing.</param>
    /// <param name="newGeneration">For a new hash; empty: must not be created.</param>
    /// <param name="protector">Encrypts the values; null: none.</param>
    public static (RedisScript Script, RedisValue[] Arguments) For(
        SessionChanges changes,
        SessionExpiry expiry,
        bool isFresh,
        RedisValue generationSeen,
        RedisValue newGeneration,
        ValueProtector? protector)
    {
        int users = changes.User is null ? 0 : 1;
        int sets = changes.SetCount + users;
        int removes = changes.RemoveCount + users; // whoever is bound here is not replaced by who signs in
        bool isPlain = !generationSeen.IsNull && expiry.Absolute == 0 && removes == 0 && !changes.Cleared && sets is > 0 and < LargestPlainChange / 2;
        int set = isPlain ? 2 : 5 + removes;
        var arguments = new RedisValue[set + (2 * sets)];
        int remove = 5;
        if (isPlain)
        {
            arguments[0] = generationSeen;
            arguments[1] = isFresh ? RedisValue.EmptyString : expiry.Idle;
        }
        else
        {
            arguments[0] = isFresh ? -expiry.Idle : expiry.Idle;
            arguments[1] = expiry.Absolute;
            arguments[2] = RedisScript.OrEmpty(generationSeen);
            arguments[3] = newGeneration;

            // Removing from a session that is not there does not create one.
            arguments[4] = (sets > 0 ? 1 : 0) + (changes.Cleared ? 2 : 0) + (4 * removes);
        }

        foreach (var (key, value) in changes.Keys)
        {
            if (value is null)
            {
                arguments[remove++] = SessionHashLayout.FieldOf(key);
            }
            else
            {
                arguments[set++] = SessionHashLayout.FieldOf(key);
                arguments[set++] = protector is null ? value : protector.Protect(value);
            }
        }

        if (changes.User is not null)
        {
            arguments[remove] = SessionHashLayout.Automatic;
            arguments[set++] = SessionHashLayout.User;
            arguments[set] = changes.User;
        }

        return (isPlain ? Set : Change, arguments);
    }

    /// <summary>
    /// The arguments of a script that begins as <see cref="Change"/> does. If the request had seen nothing, each send says what it has seen
    /// by then.
    /// </summary>
    public static ScriptArguments SeenByThen(RedisValue[] arguments, Func<RedisValue> generationSeen)
    {
        return arguments[2].IsNullOrEmpty ? new(Now) : new(arguments);

        RedisValue[] Now()
        {
            RedisValue[] now = [.. arguments];
            now[2] = RedisScript.OrEmpty(generationSeen());
            return now;
        }
    }
}
