using System.Globalization;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// What stands in the place of a session whose key was renewed: a hash whose generation is no generation. It tells whoever still has the old
/// cookie that the session has ended, so that a request that only writes does not begin another under it.
/// </summary>
/// <remarks>
/// <code>
/// @gen   ~{until}:{lease}   both in unix milliseconds, by the server's clock
///        until              from then on there is nothing any more, even if the hash is still there
///        lease              from then on the session may be put back, if it was not certain by then that the new cookie was sent; 0: never
/// </code>
/// While the lease may still have to be honoured, the session is parked under <see cref="SessionHashLayout.ParkedKeyOf"/>.
/// </remarks>
internal static class Tombstone
{
    public const char Mark = '~';

    public static bool Is(RedisValue generation) => generation.StartsWith("~"u8);

    /// <summary>The generation, or null where it is a tombstone whose time is over.</summary>
    public static RedisValue Read(RedisValue generation) =>
        Is(generation) && UntilOf(generation) <= DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() ? RedisValue.Null : generation;

    /// <summary>True where the session may have to be put back.</summary>
    public static bool MayBeRevived(RedisValue generation) => Is(generation) && !generation.ToString().EndsWith(":0", StringComparison.Ordinal);

    private static long UntilOf(RedisValue generation)
    {
        string text = generation.ToString();
        int end = text.IndexOf(':', StringComparison.Ordinal);
        return end > 1 && long.TryParse(text.AsSpan(1, end - 1), CultureInfo.InvariantCulture, out long until) ? until : 0;
    }
}
