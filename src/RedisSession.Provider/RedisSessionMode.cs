namespace RedisSession.Provider;

/// <summary>
/// How the synchronous API of a session (<c>Get…</c>, <c>Set…</c>, <c>Remove</c>, <c>Clear</c>) meets Redis. The asynchronous getters and
/// setters are live in both modes.
/// </summary>
public enum RedisSessionMode
{
    /// <summary>
    /// As ASP.NET Core promises: the first read of a request takes a snapshot of the whole session (one round trip, none after it);
    /// changes are collected and written together before the response starts (one round trip).
    /// </summary>
    Buffered,

    /// <summary>
    /// As in redis-session: each read asks Redis for that key (one round trip each, blocking a thread), each change is sent at once and
    /// nobody waits for it until the response is about to start. After <c>LoadAsync</c> the rest of the request reads from that snapshot.
    /// </summary>
    Live,
}
