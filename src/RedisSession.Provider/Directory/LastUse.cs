namespace RedisSession.Provider;

/// <summary>
/// When a session was last used. It is not stored: a use gives the hash its full TTL, so the part that has elapsed tells. Pure.
/// </summary>
internal static class LastUse
{
    // If a session ends at its absolute timeout, its last use set less than the full TTL, which then tells nothing. That end is on Redis's
    // clock and the TTL is counted from ours: this close to it, nothing is returned.
    private static readonly TimeSpan NearAbsoluteEnd = TimeSpan.FromMinutes(1);

    /// <param name="created">Null when that is not known.</param>
    /// <param name="timeToLive">The remaining TTL; null if the hash has none.</param>
    /// <param name="expiry">What a use grants.</param>
    /// <param name="now">By this machine's clock.</param>
    public static DateTimeOffset? Of(DateTimeOffset? created, TimeSpan? timeToLive, SessionExpiry expiry, DateTimeOffset now)
    {
        if (timeToLive is not { } left) return null;
        if (expiry.Absolute > 0)
        {
            if (created is null) return null;
            if (now + left > created + TimeSpan.FromMilliseconds(expiry.Absolute) - NearAbsoluteEnd) return null;
        }

        var idle = TimeSpan.FromMilliseconds(expiry.Idle) - left;
        if (idle <= TimeSpan.Zero) return now;

        // If the timeout was shorter at that use: not before the session began.
        var used = now - idle;
        return used < created && created < now ? created : used;
    }
}
