namespace RedisSession.Provider;

/// <summary>
/// The scripts that give a session a new key. Old and new key can live on different servers of a cluster, so no single script can move it:
/// copy, paste, then remove the old one if nobody has changed it since the copy, else begin again. Whatever fails on the way, and
/// wherever, the session is whole under one of the two keys, and no write that was confirmed is lost. Each is safe to apply twice.
/// </summary>
internal static class MoveScripts
{
    // Sets `all` (field, value, …), `expiries` (unix ms or -1 for each field; empty where the server has no field expiry) and a digest
    // of both.
    private const string Content = """
        local key, seen = KEYS[1], ARGV[1]
        local generation = redis.call('HGET', key, '@gen')
        if seen ~= '' and generation ~= seen then return false end
        local all = redis.call('HGETALL', key)
        local fields, expiries, parts = {}, {}, {}
        for i = 1, #all, 2 do fields[#fields + 1] = all[i] end
        for i = 1, #fields, 4000 do
          local last = math.min(i + 3999, #fields)
          local reply = redis.pcall('HPEXPIRETIME', key, 'FIELDS', last - i + 1, unpack(fields, i, last))
          if type(reply) == 'table' and reply.err and not string.find(string.lower(reply.err), 'unknown') then return reply end
          if type(reply) ~= 'table' or reply.err then break end
          for _, at in ipairs(reply) do expiries[#expiries + 1] = at end
        end
        for _, text in ipairs(all) do parts[#parts + 1] = #text .. ':' .. text end
        for _, at in ipairs(expiries) do parts[#parts + 1] = string.format('%.0f', at) end
        local digest = redis.sha1hex(table.concat(parts, ','))

        """;

    /// <summary>Reads a whole session. A script, because fields, their expiries and the digest must be of one moment.</summary>
    /// <remarks>
    /// <c>ARGV 1 generation seen, or ''; returns {digest, generation or '', {field, value, …}, {expiry, …}} · nil it has ended</c>
    /// </remarks>
    public static readonly RedisScript Copy = new(Content + "return {digest, generation or '', all, expiries}");

    /// <summary>
    /// Removes a session that is still as it was copied. A script, because the comparison and the removal must hold together.
    /// </summary>
    /// <remarks><c>ARGV 1 generation seen, or '' · 2 digest; returns 1 removed · 0 it has changed · nil it has ended</c></remarks>
    public static readonly RedisScript DeleteIfUnchanged = new(Content + """
        if digest ~= ARGV[2] then return 0 end
        redis.call('UNLINK', key)
        return 1
        """, again: false);

    /// <summary>
    /// Writes a copied session under its new key, in the place of an older copy. A script, so that there is never a hash without a TTL.
    /// </summary>
    /// <remarks>
    /// <code>
    /// ARGV  1 idle timeout, ms             3 number of fields, then field, value, field, value …
    ///       2 absolute timeout, ms, or 0     then field, unix ms, … for the fields that expire by themselves
    /// returns  ms to live
    /// </code>
    /// </remarks>
    public static readonly RedisScript Paste = new("""
        local key, ttl, limit = KEYS[1], ARGV[1], tonumber(ARGV[2])
        """ + "\n" + SessionScripts.ServerTime + """
        redis.call('UNLINK', key)
        local last = 3 + 2 * tonumber(ARGV[3])
        for i = 4, last, 4000 do
          redis.call('HSET', key, unpack(ARGV, i, math.min(i + 3999, last)))
        end
        redis.call('HSETNX', key, '@created', now)
        if limit > 0 then
          local left = (tonumber(redis.call('HGET', key, '@created')) or tonumber(now)) + limit - tonumber(now)
          if left < tonumber(ttl) then ttl = string.format('%.0f', math.max(left, 1)) end
        end
        redis.call('PEXPIRE', key, ttl)
        for i = last + 1, #ARGV, 2 do
          redis.call('HPEXPIREAT', key, ARGV[i + 1], 'FIELDS', 1, ARGV[i])
        end
        return tonumber(ttl)
        """);
}
