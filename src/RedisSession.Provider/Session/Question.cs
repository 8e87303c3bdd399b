namespace RedisSession.Provider;

/// <summary>
/// What was known when something was asked or sent: under which identity, and what the request had seen by then. Whoever brings the answer
/// brings this along, so that <see cref="SessionState"/> can judge it.
/// </summary>
/// <param name="Identity">Under which it was asked.</param>
/// <param name="Sight">What was seen by then.</param>
/// <param name="Snapshot">For all keys: which of the snapshots that the request has asked for.</param>
internal readonly record struct Question(SessionIdentity Identity, SessionSight Sight, int Snapshot = 0);

/// <summary>What an answer means: <see cref="SessionState.Take"/>.</summary>
internal enum Verdict
{
    /// <summary>It is this session's.</summary>
    Accepted,

    /// <summary>It is not: the session that was seen has ended.</summary>
    Ended,

    /// <summary>The key was renewed while it was on its way: it says nothing about the session. Ask again.</summary>
    AskedUnderAnotherKey,
}
