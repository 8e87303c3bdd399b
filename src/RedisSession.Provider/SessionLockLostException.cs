namespace RedisSession.Provider;

/// <summary>
/// A write was refused because the request no longer holds the lock of its session: its process was suspended for longer than the lease,
/// and another request may have changed the session since. Nothing was written.
/// </summary>
public sealed class SessionLockLostException : InvalidOperationException
{
    /// <summary>Creates the exception for the session <paramref name="sessionId"/>.</summary>
    /// <param name="sessionId">The session's public id (<see cref="Microsoft.AspNetCore.Http.ISession.Id"/>), not its key.</param>
    public SessionLockLostException(string sessionId)
        : base($"This request no longer holds the lock of session {sessionId}; the request's changes were not written.") =>
        SessionId = sessionId;

    /// <summary>The session's public id.</summary>
    public string SessionId { get; }
}
