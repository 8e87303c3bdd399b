namespace RedisSession.Provider;

/// <summary>
/// Changes of one session key that depend on what it holds. Scripts, because looking and changing must hold together, and with the
/// session's existence and TTL.
/// </summary>
/// <remarks>
/// <code>
/// ARGV  1 idle timeout, ms            3 generation seen, or ''        5 field
///       2 absolute timeout, ms, or 0  4 generation for a new hash,    6 … what the script says
///                                       or '': it may not be made
/// returns  {generation, …} · {''} nothing there, nothing written · nil the session that was seen has ended
/// </code>
/// </remarks>
internal static class FieldScripts
{
    // Leaves the session that is not there alone.
    private const string OnlyExisting = """
        if not generation and redis.call('EXISTS', key) == 0 then return {''} end

        """;

    private const string Create = "if not generation and ARGV[4] == '' then return {''} end\n" + SessionScripts.Create;

    /// <summary>Reads and removes.</summary>
    /// <remarks><c>returns {generation, value or nil}</c></remarks>
    public static readonly RedisScript Take = new(SessionScripts.Begin + OnlyExisting + Create + """
        local value = redis.call('HGET', key, ARGV[5])
        if value then redis.call('HDEL', key, ARGV[5]) end
        redis.call('PEXPIRE', key, ttl)
        return {generation, value}
        """, again: false);

    /// <summary>Sets what is not there.</summary>
    /// <remarks><c>ARGV 6 value; returns {generation, the value that is there, or nil where it was set}</c></remarks>
    public static readonly RedisScript SetIfAbsent = new(SessionScripts.Begin + Create + """
        local value = redis.call('HGET', key, ARGV[5])
        if not value then redis.call('HSET', key, ARGV[5], ARGV[6]) end
        redis.call('PEXPIRE', key, ttl)
        return {generation, value}
        """, again: false);

    /// <summary>Sets what is as expected.</summary>
    /// <remarks>
    /// <c>ARGV 6 1 if it is expected to be there · 7 expected value · 8 value; returns {generation or '', 1 if it was set, else 0, the
    /// value that is there in its place, or nil}</c>
    /// </remarks>
    public static readonly RedisScript SetIfUnchanged = new(SessionScripts.Begin + """
        local value = redis.call('HGET', key, ARGV[5])
        if (value and '1' or '0') ~= ARGV[6] or (value or '') ~= ARGV[7] then
          if generation then redis.call('PEXPIRE', key, ttl) end
          return {generation or '', 0, value}
        end

        """ + Create + """
        redis.call('HSET', key, ARGV[5], ARGV[8])
        redis.call('PEXPIRE', key, ttl)
        return {generation, 1}
        """, again: false);

    /// <summary>Adds to a whole number; what is not there counts as 0.</summary>
    /// <remarks>
    /// The sum is answered as text, because Lua's numbers hold 53 bits of it.
    /// <c>ARGV 6 what to add; returns {generation, sum, or the server's error and nothing changed}</c>
    /// </remarks>
    public static readonly RedisScript Increment = new(SessionScripts.Begin + Create + """
        local sum = redis.pcall('HINCRBY', key, ARGV[5], ARGV[6])
        redis.call('PEXPIRE', key, ttl)
        if type(sum) == 'table' then return {generation, false, sum.err} end
        return {generation, redis.call('HGET', key, ARGV[5])}
        """, again: false);

    /// <summary>Sets a value that expires by itself. Where the server does not know such expiries, nothing is written.</summary>
    /// <remarks>
    /// The expiry is tried first, on what is there: nothing is written where the server does not know the command, or the Redis user may
    /// not use it.
    /// <c>ARGV 6 value · 7 milliseconds; returns {generation} · {generation or '', the server's error} it does not know · the error</c>
    /// </remarks>
    public static readonly RedisScript SetExpiring = new(SessionScripts.Begin + """
        local tried = redis.pcall('HPEXPIRE', key, ARGV[7], 'FIELDS', 1, ARGV[5])
        if type(tried) == 'table' and tried.err then
          if not string.find(string.lower(tried.err), 'unknown') then return tried end
          return {generation or '', tried.err}
        end

        """ + Create + """
        redis.call('HSET', key, ARGV[5], ARGV[6])
        redis.call('HPEXPIRE', key, ARGV[7], 'FIELDS', 1, ARGV[5])
        redis.call('PEXPIRE', key, ttl)
        return {generation}
        """);
}
