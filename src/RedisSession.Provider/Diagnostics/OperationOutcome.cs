namespace RedisSession.Provider;

/// <summary>How an operation ended: the values of <see cref="TelemetryTags.Outcome"/>.</summary>
internal static class OperationOutcome
{
    public const string Ok = "ok";

    /// <summary>Redis has no such session.</summary>
    public const string Absent = "absent";

    /// <summary>Refused, because the session has ended since the request first saw it.</summary>
    public const string Ended = "ended";

    /// <summary>Cancelled by the caller, which is not a failure.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>Other requests held the lock for as long as this one was willing to wait.</summary>
    public const string GivenUp = "given_up";

    public const string Failed = "failed";

    public static string Of(Exception error) => error switch
    {
        SessionEndedException => Ended,
        OperationCanceledException { InnerException: not TimeoutException } => Cancelled,
        _ => Failed,
    };
}
