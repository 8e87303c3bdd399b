namespace RedisSession.Provider;

/// <summary>
/// When a session ends, in milliseconds: <paramref name="Idle"/> after its last use, and whatever happens
/// <paramref name="Absolute"/> after its creation (0: no such limit). A hash's TTL is the nearer of the two.
/// </summary>
internal readonly record struct SessionExpiry(long Idle, long Absolute)
{
    public static SessionExpiry From(TimeSpan idleTimeout, TimeSpan? absoluteTimeout) => new(
        Math.Max(1, (long)idleTimeout.TotalMilliseconds),
        absoluteTimeout is { } limit ? Math.Max(1, (long)limit.TotalMilliseconds) : 0);
}
