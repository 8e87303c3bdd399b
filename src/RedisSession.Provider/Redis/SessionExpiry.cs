namespace RedisSession.Provider;

/// <summary>
/// When a session ends, in milliseconds: <paramref name="Idle"/> after it was last refreshed, and in any case <paramref name="Absolute"/>
/// after its creation (0: no such limit). A hash's TTL is the nearer of the two.
/// </summary>
internal readonly record struct SessionExpiry(long Idle, long Absolute)
{
    /// <summary>"Never", such as TimeSpan.MaxValue, is a hundred years: servers add it to their clock, and some overflow.</summary>
    public const long Never = 100L * 365 * 24 * 60 * 60 * 1000;

    /// <summary>How long a session that begins now lives if it is not used again.</summary>
    public long Life => Absolute > 0 ? Math.Min(Idle, Absolute) : Idle;

    /// <summary>
    /// Extends the idle timeout by the <paramref name="refreshInterval"/>, during which a session in use may go unrefreshed, so that none
    /// ends early.
    /// </summary>
    public static SessionExpiry From(TimeSpan idleTimeout, TimeSpan? absoluteTimeout, TimeSpan refreshInterval = default) => new(
        Math.Min(Milliseconds(idleTimeout) + RefreshInterval(idleTimeout, refreshInterval), Never),
        absoluteTimeout is { } limit ? Milliseconds(limit) : 0);

    /// <summary>At most an eighth of the idle timeout.</summary>
    public static long RefreshInterval(TimeSpan idleTimeout, TimeSpan refreshInterval) =>
        Math.Min((long)refreshInterval.TotalMilliseconds, Milliseconds(idleTimeout) / 8);

    /// <summary>At least 1, and no more than servers can take.</summary>
    public static long Milliseconds(TimeSpan time) => Math.Clamp((long)time.TotalMilliseconds, 1, Never);
}
