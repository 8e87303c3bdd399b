namespace RedisSession.Provider;

/// <summary>
/// When a session was last used. Nobody writes it down: a use gives the hash its full TTL, so what has gone from that tells. Pure.
/// </summary>
internal static class LastUse
{
    // What ends at its absolute timeout was given less than the full TTL by its last use, and does not tell. That end is by the clock of
    // Redis and the TTL is counted from ours: within so much of it nothing is said.
    private static readonly TimeSpan NearAbsoluteEnd = TimeSpan.FromMinutes(1);

    /// <param name="created">Null when that is not known.</param>
    /// <param name="timeToLive">What is left; null when the hash has no TTL.</param>
    /// <param name="expiry">What a use gives.</param>
    /// <param name="now">By the clock of this machine.</param>
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

        // Where the timeout was shorter when it was used: not before it began.
        var used = now - idle;
        return used < created && created < now ? created : used;
    }
}
