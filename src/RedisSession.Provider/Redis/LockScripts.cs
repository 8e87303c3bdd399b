using System.Globalization;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The scripts for a session's lock, a field of its hash: so it is on the same server, and moves and ends with the session. As in
/// <see cref="SessionScripts"/>: one key each, safe to apply twice, by the server's clock.
/// </summary>
/// <remarks>
/// <code>
/// @lock   {token}:{lease}:{since}:{w}   owner, end of the lease, when the lock was taken, in unix milliseconds;
///                                       w: 1 if another request waits
/// </code>
/// </remarks>
internal static class LockScripts
{
    /// <summary>The error of a script whose lock has another owner, or is gone.</summary>
    public const string Lost = "SESSIONLOCKLOST";

    // Refuses what follows if the caller no longer owns the lock. The caller's token is the last argument, and is removed.
    private const string Fence = $"""
        local held = redis.call('HGET', KEYS[1], '@lock')
        local mine = table.remove(ARGV)
        if not held or string.sub(held, 1, #mine + 1) ~= mine .. ':' then
          return redis.error_reply('{Lost} the lock of the session is not held by this request any more')
        end

        """;

    // The same for scripts that finally release the lock: the waiters' channel is the last argument before the token.
    private const string LastFence = SessionScripts.May + Fence + """
        local channel = table.remove(ARGV)
        may('HDEL', KEYS[1], '@lock')

        """;

    private const string GiveBack = """
        redis.call('HDEL', KEYS[1], '@lock')
        if string.sub(held, -2) == ':1' then redis.pcall('PUBLISH', channel, KEYS[1]) end

        """;

    /// <summary>
    /// Takes the lock, and creates the session if there is none. A script, because only one of many concurrent attempts may succeed.
    /// </summary>
    /// <remarks>
    /// <code>
    /// ARGV  1–4 as <see cref="FieldScripts"/>   5 token   6 lease, ms
    /// returns  {generation, 1} · {generation, 0, ms left of the other owner's lease} · {''} nothing there · nil it has ended
    /// </code>
    /// </remarks>
    public static readonly RedisScript Take = new(SessionScripts.Begin + """
        if not generation and ARGV[4] == '' then
        """ + "\n" + SessionScripts.Leave + """
          return {''}
        end
        """ + "\n" + SessionScripts.Create + SessionScripts.ServerTime + """
        local token, lease, since = ARGV[5], tonumber(now) + tonumber(ARGV[6]), now
        local held = redis.call('HGET', key, '@lock')
        if held then
          local holder, ends, taken = string.match(held, '^([^:]*):(%d+):(%d+):')
          if holder == token then
            since = taken
          elseif holder and tonumber(ends) > tonumber(now) then
            redis.call('HSET', key, '@lock', holder .. ':' .. ends .. ':' .. taken .. ':1')
        """ + "\n" + SessionScripts.End + """
            return {generation, 0, tonumber(ends) - tonumber(now)}
          end
        end
        redis.call('HSET', key, '@lock', token .. ':' .. string.format('%.0f', lease) .. ':' .. since .. ':0')

        """ + SessionScripts.End + "return {generation, 1}");

    /// <summary>Restarts the lease. A script, because the lock must still be the caller's.</summary>
    /// <remarks><c>ARGV 1 lease, ms · 2 token; returns 1</c></remarks>
    public static readonly RedisScript Extend = new(Fence + SessionScripts.ServerTime + """
        local since, waits = string.match(held, '^[^:]*:%d+:(%d+):(%d)$')
        redis.call('HSET', KEYS[1], '@lock', mine .. ':' .. string.format('%.0f', now + ARGV[1]) .. ':' .. since .. ':' .. waits)
        return 1
        """);

    /// <summary>Releases the lock when nothing is written. A script, because it must still be the caller's.</summary>
    /// <remarks><c>ARGV 1 channel · 2 token; returns 1</c></remarks>
    public static readonly RedisScript Release = new(LastFence + GiveBack + "return 1", again: false);

    /// <summary>
    /// Releases a lock that may have been taken for nobody: whoever asked for it does not wait any more. A script, because it must be that
    /// one's.
    /// </summary>
    /// <remarks><c>ARGV 1 channel · 2 token; returns nil</c></remarks>
    public static readonly RedisScript GiveUp = new(SessionScripts.May + """
        local held, channel, mine = redis.call('HGET', KEYS[1], '@lock'), ARGV[1], ARGV[2]
        if not held or string.sub(held, 1, #mine + 1) ~= mine .. ':' then return false end
        may('HDEL', KEYS[1], '@lock')

        """ + GiveBack + "return false");

    /// <summary>A script that runs <paramref name="text"/> only while the caller holds the lock.</summary>
    public static string Fenced(string text) => Fence + text;

    /// <summary>A script that runs <paramref name="text"/> and releases the lock.</summary>
    public static string Releasing(string text) =>
        LastFence + "local function change()\n" + text + "\nend\nlocal reply = change()\n" + GiveBack + "return reply";

    /// <summary>Whether the lock is that of the request with this token; null: which holds none.</summary>
    public static bool IsHeldBy(RedisValue value, string? token) =>
        token is not null && value.ToString().StartsWith(token + ":", StringComparison.Ordinal);

    /// <summary>Since when a lock has been held, in unix milliseconds; null if there is none, or its holder has abandoned it.</summary>
    public static long? HeldSince(RedisValue value) =>
        value.ToString().Split(':') is [_, var lease, var since, _]
        && long.TryParse(lease, CultureInfo.InvariantCulture, out long end) && end > DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
        && long.TryParse(since, CultureInfo.InvariantCulture, out long start)
            ? start
            : null;

    /// <summary>True for the error of a script whose caller no longer owns the lock.</summary>
    public static bool IsLost(Exception error) =>
        error is RedisServerException && error.Message.Contains(Lost, StringComparison.Ordinal);
}
