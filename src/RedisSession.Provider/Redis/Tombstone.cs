using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// What stands in the place of a session whose key was renewed: a hash whose generation is no generation. It tells whoever still has the old
/// cookie that the session has ended, so that a request that only writes does not begin another under it.
/// </summary>
/// <remarks>
/// <code>
/// @gen   ~{until}:{lease}   both in unix milliseconds, by the server's clock
///        until              from then on there is nothing any more, even if the hash is still there, which its TTL is a second later, or
///                           much later: who refreshes it cannot know better
///        lease              from then on the session may be put back, if it was not certain by then that the new cookie was sent; 0: never
/// </code>
/// The session itself is parked under <see cref="SessionHashLayout.WithParked"/>. What becomes of it <see cref="RenewalScripts.Revive"/>
/// says.
/// </remarks>
internal static class Tombstone
{
    public static bool Is(RedisValue generation) => generation.StartsWith("~"u8);
}
