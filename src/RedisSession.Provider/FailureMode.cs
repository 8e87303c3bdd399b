namespace RedisSession.Provider;

/// <summary>
/// What the synchronous API, and the confirmation of writes before the response starts, do when Redis cannot be reached. The asynchronous
/// members throw in both modes.
/// </summary>
public enum FailureMode
{
    /// <summary>As ASP.NET Core does: the failure is logged, <c>IsAvailable</c> turns false, reads find nothing, writes are lost.</summary>
    LogAndContinue,

    /// <summary>
    /// The failure is thrown, so that "Redis is away" is not mistaken for "nobody is signed in", and a write that failed makes the
    /// response an error 500.
    /// </summary>
    Throw,
}
