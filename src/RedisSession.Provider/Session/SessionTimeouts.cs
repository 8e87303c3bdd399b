namespace RedisSession.Provider;

/// <summary>How long a session lives, and how long a request waits for Redis.</summary>
internal sealed class SessionTimeouts
{
    // Within one request, a refresh with every command would be useless.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    public SessionTimeouts(TimeSpan idle, TimeSpan io, TimeSpan? absolute, TimeSpan refreshInterval)
    {
        Idle = idle;
        IO = io;
        RefreshInterval = SessionExpiry.RefreshInterval(idle, refreshInterval);
        PauseInRequest = SessionExpiry.RefreshInterval(idle, refreshInterval > TimeSpan.Zero ? refreshInterval : ShortestPause);
        Expiry = SessionExpiry.From(idle, absolute, refreshInterval);
    }

    public TimeSpan Idle { get; }

    public TimeSpan IO { get; }

    /// <summary>In milliseconds: an expiry refreshed this recently is not refreshed again.</summary>
    public long RefreshInterval { get; }

    /// <summary>The same for the commands of one request.</summary>
    public long PauseInRequest { get; }

    public SessionExpiry Expiry { get; }
}
