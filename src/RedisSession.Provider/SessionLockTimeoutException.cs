namespace RedisSession.Provider;

/// <summary>Other requests held the lock of the session for as long as this request was configured to wait.</summary>
public sealed class SessionLockTimeoutException : TimeoutException
{
    /// <summary>Creates the exception for the session <paramref name="sessionId"/>.</summary>
    /// <param name="sessionId">The session's public id (<see cref="Microsoft.AspNetCore.Http.ISession.Id"/>), not its key.</param>
    /// <param name="wait">How long the request waited.</param>
    public SessionLockTimeoutException(string sessionId, TimeSpan wait)
        : base($"Other requests held the lock of session {sessionId} for {wait}.") =>
        SessionId = sessionId;

    /// <summary>The session's public id.</summary>
    public string SessionId { get; }
}
