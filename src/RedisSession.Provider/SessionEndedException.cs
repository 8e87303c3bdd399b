namespace RedisSession.Provider;

/// <summary>
/// A write was refused because the session has ended since this request first accessed it: it expired, was abandoned, was ended, or was
/// renewed. Nothing was written: an ended session stays ended.
/// </summary>
public sealed class SessionEndedException : InvalidOperationException
{
    /// <summary>Creates the exception for the session <paramref name="sessionId"/>.</summary>
    /// <param name="sessionId">The session's public id (<see cref="Microsoft.AspNetCore.Http.ISession.Id"/>), not its key.</param>
    public SessionEndedException(string sessionId)
        : base($"Session {sessionId} has ended since this request first accessed it; the request's changes were not written.") =>
        SessionId = sessionId;

    /// <summary>The session's public id.</summary>
    public string SessionId { get; }
}
