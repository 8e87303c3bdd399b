namespace RedisSession.Provider;

/// <summary>
/// What the synchronous API, and the confirmation of writes before the response starts, do when Redis is unavailable. The asynchronous
/// members throw in both modes.
/// </summary>
public enum FailureMode
{
    /// <summary>
    /// As in ASP.NET Core: the failure is logged, <c>IsAvailable</c> becomes false, reads find nothing, and writes are lost.
    /// </summary>
    LogAndContinue,

    /// <summary>
    /// The failure is thrown, so that an outage of Redis is not mistaken for a user who is not signed in. A failed write turns the response
    /// into an error 500.
    /// </summary>
    Throw,
}
