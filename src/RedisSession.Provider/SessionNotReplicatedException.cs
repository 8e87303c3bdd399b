namespace RedisSession.Provider;

/// <summary>
/// A write is in Redis, but fewer replicas than <see cref="RedisHashSessionOptions.WaitForReplicas"/> confirmed it in time: a failover now
/// could lose it.
/// </summary>
public sealed class SessionNotReplicatedException : Exception
{
    /// <summary>Creates the exception for the session <paramref name="sessionId"/>.</summary>
    /// <param name="sessionId">The session's public id (<see cref="Microsoft.AspNetCore.Http.ISession.Id"/>), not its key.</param>
    /// <param name="replicas">How many replicas have the write.</param>
    /// <param name="wanted">How many replicas are required.</param>
    public SessionNotReplicatedException(string sessionId, int replicas, int wanted)
        : base($"A write to session {sessionId} reached {replicas} replicas, but WaitForReplicas requires {wanted}.") =>
        SessionId = sessionId;

    /// <summary>The session's public id.</summary>
    public string SessionId { get; }
}
