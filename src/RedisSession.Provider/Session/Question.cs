namespace RedisSession.Provider;

/// <summary>
/// What was known when something was asked or sent: the identity, and what the request had seen by then. It travels with the answer, so
/// that <see cref="SessionState"/> can judge that.
/// </summary>
/// <param name="Identity">The identity it was asked under.</param>
/// <param name="Sight">What was seen by then.</param>
/// <param name="Snapshot">For all keys: the number of the snapshot requested.</param>
internal readonly record struct Question(SessionIdentity Identity, SessionSight Sight, int Snapshot = 0);

/// <summary>What an answer means: <see cref="SessionState.Take"/>.</summary>
internal enum Verdict
{
    /// <summary>It is about this session.</summary>
    Accepted,

    /// <summary>It is not: the session that was seen has ended.</summary>
    Ended,

    /// <summary>The key was renewed while it was in flight: it says nothing about the session. Ask again.</summary>
    AskedUnderAnotherKey,
}
