using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Changes to one session key that depend on its value. Scripts, because the check and the change must be atomic, together with the
/// session's existence and TTL. As in <see cref="SessionScripts"/>, whatever may be refused comes first.
/// </summary>
/// <remarks>
/// <code>
/// ARGV  1 idle timeout, ms, with a minus    3 generation seen, or ''        5 field
///         where the TTL was set lately      4 generation for a new hash,    6 … the script's own
///       2 absolute timeout, ms, or 0          or '': must not be created
/// returns  {generation, …} · {''} nothing there, nothing written · nil the session that was seen has ended
/// </code>
/// </remarks>
internal static class FieldScripts
{
    // Does not create a missing session.
    private const string OnlyExisting =
        "if over or not generation and redis.call('EXISTS', key) == 0 then\n" + SessionScripts.Leave + "return {''}\nend\n";

    private const string Create =
        "if not generation and ARGV[4] == '' then\n" + SessionScripts.Leave + "return {''}\nend\n" + SessionScripts.Create;

    /// <summary>Reads and removes.</summary>
    /// <remarks><c>returns {generation, value or nil}</c></remarks>
    public static readonly RedisScript Take = new(SessionScripts.Begin + OnlyExisting + Create + """
        local value = redis.call('HGET', key, ARGV[5])
        if value then redis.call('HDEL', key, ARGV[5]) end

        """ + SessionScripts.End + "return {generation, value}", again: false);

    /// <summary>Sets a missing key.</summary>
    /// <remarks><c>ARGV 6 value; returns {generation, the existing value, or nil if it was set}</c></remarks>
    public static readonly RedisScript SetIfAbsent = new(SessionScripts.Begin + Create + """
        local value = redis.call('HGET', key, ARGV[5])
        if not value then redis.call('HSET', key, ARGV[5], ARGV[6]) end

        """ + SessionScripts.End + "return {generation, value}", again: false);

    /// <summary>Sets a key whose value is as expected.</summary>
    /// <remarks>
    /// HSET ends the key's own expiry. Where it is to be kept, nothing is written if the Redis user may not see it or set it again.
    /// <c>ARGV 6 1 if it is expected to be there · 7 expected value · 8 value · 9 1 if the key keeps its expiry; returns {generation or '',
    /// 1 if it was set, else 0, the actual value, or nil}</c>
    /// </remarks>
    public static readonly RedisScript SetIfUnchanged = new(SessionScripts.May + SessionScripts.Begin + """
        local value = redis.call('HGET', key, ARGV[5])
        if (value and '1' or '0') ~= ARGV[6] or (value or '') ~= ARGV[7] then
          if generation and not fresh then redis.call('PEXPIRE', key, ttl) end
        """ + "\n" + SessionScripts.Leave + """
          return {generation or '', 0, value}
        end
        local expires
        if value and ARGV[9] == '1' then
          local at = redis.pcall('HPEXPIRETIME', key, 'FIELDS', 1, ARGV[5])
          if type(at) == 'table' and at.err then
            if not string.find(string.lower(at.err), 'unknown') then return at end
          elseif type(at) == 'table' and at[1] and at[1] > 0 then
            expires = string.format('%.0f', at[1])
            may('HPEXPIREAT', key, expires, 'FIELDS', 1, ARGV[5])
          end
        end

        """ + Create + """
        redis.call('HSET', key, ARGV[5], ARGV[8])
        if expires then redis.call('HPEXPIREAT', key, expires, 'FIELDS', 1, ARGV[5]) end

        """ + SessionScripts.End + "return {generation, 1}", again: false);

    /// <summary>Adds to a whole number; a missing key counts as 0.</summary>
    /// <remarks>
    /// The sum is returned as text, because Lua numbers hold only 53 bits. A refused call leaves behind no session that was created for it.
    /// <c>ARGV 6 what to add; returns {generation, sum, or the server's error and nothing changed}</c>
    /// </remarks>
    public static readonly RedisScript Increment = new(SessionScripts.Begin + "local existed = generation\n" + Create + """
        local sum = redis.pcall('HINCRBY', key, ARGV[5], ARGV[6])

        """ + SessionScripts.End + """
        if type(sum) == 'table' then
          if not existed and redis.call('HLEN', key) == 2 then redis.call('UNLINK', key) end
          return {generation, false, sum.err}
        end
        return {generation, redis.call('HGET', key, ARGV[5])}
        """, again: false);

    /// <summary>Sets a value that expires by itself. If the server does not support that, nothing is written.</summary>
    /// <remarks>
    /// The expiry is tried first, on the existing field: nothing is written if the server does not know the command, or the Redis user may
    /// not use it.
    /// <c>ARGV 6 value · 7 milliseconds; returns {generation} · {generation or '', the server's error} unknown command · the error</c>
    /// </remarks>
    public static readonly RedisScript SetExpiring = new(SessionScripts.Begin + """
        local tried = redis.pcall('HPEXPIRE', key, ARGV[7], 'FIELDS', 1, ARGV[5])
        if type(tried) == 'table' and tried.err then
          if not string.find(string.lower(tried.err), 'unknown') then return tried end
        """ + "\n" + SessionScripts.Leave + """
          return {generation or '', tried.err}
        end

        """ + Create + """
        redis.call('HSET', key, ARGV[5], ARGV[6])
        redis.call('HPEXPIRE', key, ARGV[7], 'FIELDS', 1, ARGV[5])

        """ + SessionScripts.End + "return {generation}");

    /// <summary>The arguments of each of these, and of <see cref="LockScripts.Take"/>, which begins the same way.</summary>
    /// <param name="expiry">The session's timeouts.</param>
    /// <param name="isFresh">The TTL was set lately.</param>
    /// <param name="generationSeen">Null while the request has seen nothing.</param>
    /// <param name="newGeneration">For a new hash; empty: must not be created.</param>
    /// <param name="operands">The script's own, from the fifth on.</param>
    public static RedisValue[] ArgumentsOf(
        SessionExpiry expiry, bool isFresh, RedisValue generationSeen, RedisValue newGeneration, ReadOnlySpan<RedisValue> operands) =>
        [isFresh ? -expiry.Idle : expiry.Idle, expiry.Absolute, RedisScript.OrEmpty(generationSeen), newGeneration, .. operands];
}
