using Microsoft.Extensions.Logging;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Log messages for operators' actions: who, and on which session, by its public id; never keys or values. They are Information, because
/// someone will want to know who did it. Names are external and are sanitized before they get here (<see cref="ShownText"/>): a line break
/// in one would look like another message.
/// </summary>
internal static partial class Log
{
    [LoggerMessage(DashboardEvents.SessionEnded, LogLevel.Information, "Operator {Operator} ended session {SessionId}.")]
    public static partial void SessionEnded(this ILogger logger, string @operator, string sessionId);

    [LoggerMessage(
        DashboardEvents.UserSessionsEnded, LogLevel.Information, "Operator {Operator} ended all sessions of user {User}: {Count}.")]
    public static partial void UserSessionsEnded(this ILogger logger, string @operator, string user, int count);

    [LoggerMessage(
        DashboardEvents.ValuesShown, LogLevel.Information, "Operator {Operator} viewed the values of session {SessionId}.")]
    public static partial void ValuesShown(this ILogger logger, string @operator, string sessionId);

    [LoggerMessage(DashboardEvents.Refused, LogLevel.Information, "A request for the sessions page was refused. {Reason}")]
    public static partial void Refused(this ILogger logger, string reason);

    [LoggerMessage(
        DashboardEvents.FormRefused, LogLevel.Warning,
        "A form of the sessions page had no valid antiforgery token and was ignored. Operator: {Operator}.")]
    public static partial void FormRefused(this ILogger logger, string @operator, Exception? error);

    [LoggerMessage(DashboardEvents.RedisFailed, LogLevel.Error, "The sessions page could not read from Redis.")]
    public static partial void RedisFailed(this ILogger logger, Exception error);

    [LoggerMessage(
        DashboardEvents.CountingFailed, LogLevel.Warning,
        "Sessions could not be counted for the sessions page. Counting is retried every {Interval}; this message is not logged again until "
        + "that succeeds.")]
    public static partial void CountingFailed(this ILogger logger, TimeSpan interval, Exception error);
}
