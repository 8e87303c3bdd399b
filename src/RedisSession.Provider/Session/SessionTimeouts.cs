namespace RedisSession.Provider;

/// <summary>How long a session lives, and how long a request waits for Redis.</summary>
internal sealed class SessionTimeouts(TimeSpan idle, TimeSpan io, TimeSpan? absolute)
{
    public TimeSpan Idle { get; } = idle;

    public TimeSpan IO { get; } = io;

    public SessionExpiry Expiry { get; } = SessionExpiry.From(idle, absolute);
}
