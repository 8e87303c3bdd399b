namespace RedisSession.Provider;

/// <summary>Why a session is no more: the values of <see cref="TelemetryTags.EndReason"/>.</summary>
internal static class SessionEndReason
{
    /// <summary>A request has abandoned it.</summary>
    public const string Abandoned = "abandoned";

    /// <summary>Somebody has ended it from outside, through the directory.</summary>
    public const string Ended = "ended";

    /// <summary>A request's cookie named it, and it was not there: expired, or removed by somebody else.</summary>
    public const string Expired = "expired";
}
