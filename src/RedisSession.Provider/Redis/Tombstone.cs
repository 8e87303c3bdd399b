using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Replaces a session whose key was renewed: a hash whose generation is not a real one. It shows requests with the old cookie that the
/// session has ended, so that one that only writes does not start another under it.
/// </summary>
/// <remarks>
/// <code>
/// @gen   ~{until}:{lease}   both in unix milliseconds, by the server's clock
///        until              from then on it counts as gone, even if the hash is still there: its TTL ends a second later, or much
///                           later if refreshed by a request that cannot know better
///        lease              from then on the session may be put back, unless the new cookie was known by then to have been sent; 0: never
/// @ended  1 once the session was ended by its old cookie, or by the directory: another renewal in progress must not continue with it
/// </code>
/// The session itself is parked under <see cref="SessionHashLayout.WithParked"/>. <see cref="RenewalScripts.Revive"/> decides what becomes
/// of it.
/// </remarks>
internal static class Tombstone
{
    public static bool Is(RedisValue generation) => generation.StartsWith("~"u8);
}
