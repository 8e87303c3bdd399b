namespace RedisSession.Provider;

/// <summary>
/// How the synchronous API of a session (<c>Get…</c>, <c>Set…</c>, <c>Remove</c>, <c>Clear</c>) accesses Redis. The asynchronous getters
/// and setters are live in both modes.
/// </summary>
public enum RedisSessionMode
{
    /// <summary>
    /// As in ASP.NET Core: the first read of a request takes a snapshot of the whole session (one round trip, and none for later reads);
    /// changes are collected and written together before the response starts (one round trip).
    /// </summary>
    Buffered,

    /// <summary>
    /// As in redis-session: each read gets that key from Redis (one round trip each, blocking a thread); each change is sent immediately,
    /// and is not awaited until the response is about to start. After <c>LoadAsync</c>, the rest of the request reads from that snapshot.
    /// </summary>
    Live,
}
