using Microsoft.Extensions.Logging;

namespace RedisSession.Provider;

/// <summary>
/// What happens to sessions, as log messages. They hold public ids, never session keys or values. Tests and alerts go by the
/// event ids. What happens all day is Debug: at Information a switch from AddSession, whose category templates set to Warning, would
/// give every visitor a line.
/// </summary>
internal static partial class Log
{
    [LoggerMessage(
        SessionEvents.AccessingExpiredSession, LogLevel.Debug,
        "The session {SessionId} that the cookie names has expired or ended.")]
    public static partial void AccessingExpiredSession(this ILogger logger, string sessionId);

    [LoggerMessage(SessionEvents.SessionStarted, LogLevel.Debug, "Session {SessionId} started.")]
    public static partial void SessionStarted(this ILogger logger, string sessionId);

    [LoggerMessage(SessionEvents.SessionLoaded, LogLevel.Debug, "Session {SessionId} loaded, {Count} keys.")]
    public static partial void SessionLoaded(this ILogger logger, string sessionId, int count);

    [LoggerMessage(SessionEvents.SessionStored, LogLevel.Debug, "Changes to session {SessionId} stored.")]
    public static partial void SessionStored(this ILogger logger, string sessionId);

    [LoggerMessage(SessionEvents.ReadFailed, LogLevel.Error, "Reading session {SessionId} failed.")]
    public static partial void ReadFailed(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(SessionEvents.WriteFailed, LogLevel.Error, "Writing session {SessionId} failed; what the request changed is lost.")]
    public static partial void WriteFailed(this ILogger logger, string sessionId, Exception? error);

    [LoggerMessage(
        SessionEvents.WriteRefused, LogLevel.Warning,
        "Session {SessionId} has ended since this request first saw it; its changes were not written.")]
    public static partial void WriteRefused(this ILogger logger, string sessionId);

    [LoggerMessage(SessionEvents.TimedOut, LogLevel.Warning, "Timed out {Doing} session {SessionId} after the IOTimeout of {Timeout}.")]
    public static partial void TimedOut(this ILogger logger, string sessionId, string doing, TimeSpan timeout);

    [LoggerMessage(SessionEvents.RefreshFailed, LogLevel.Warning, "Refreshing the expiry of session {SessionId} failed.")]
    public static partial void RefreshFailed(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(SessionEvents.SessionRenewed, LogLevel.Debug, "Session {OldSessionId} has a new key and is {SessionId} now.")]
    public static partial void SessionRenewed(this ILogger logger, string oldSessionId, string sessionId);

    [LoggerMessage(SessionEvents.SessionAbandoned, LogLevel.Debug, "Session {SessionId} abandoned.")]
    public static partial void SessionAbandoned(this ILogger logger, string sessionId);

    [LoggerMessage(
        SessionEvents.ValueUnreadable, LogLevel.Warning,
        "A value of session {SessionId} cannot be decrypted and reads as absent.")]
    public static partial void ValueUnreadable(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(SessionEvents.Connected, LogLevel.Debug, "Connected to Redis.")]
    public static partial void Connected(this ILogger logger);

    [LoggerMessage(
        SessionEvents.NotConnectedYet, LogLevel.Error,
        "Redis at {EndPoints} cannot be used yet; what needs it works as soon as it can.")]
    public static partial void NotConnectedYet(this ILogger logger, string endPoints, Exception error);

    [LoggerMessage(SessionEvents.ConnectingFailed, LogLevel.Error, "Connecting to Redis failed; the next request tries again.")]
    public static partial void ConnectingFailed(this ILogger logger, Exception error);

    [LoggerMessage(
        SessionEvents.ConnectionRefused, LogLevel.Error,
        "Redis refuses the connection: {Reason}. It is tried again all the time, and this is not logged again before it has worked.")]
    public static partial void ConnectionRefused(this ILogger logger, string reason, Exception error);

    [LoggerMessage(
        SessionEvents.WrongUser, LogLevel.Error,
        "The connection to Redis at {EndPoint} is that of the user '{Actual}' and not of '{Wanted}', whose password Redis has not accepted: "
        + "what sessions do there is done with the rights of '{Actual}'. Correct the password, and switch the user 'default' off.")]
    public static partial void WrongUser(this ILogger logger, string endPoint, string actual, string wanted);

    [LoggerMessage(
        SessionEvents.NoDedicatedThreads, LogLevel.Warning,
        "The application's Redis connection reads replies on the thread pool: synchronous calls of what {Method} adds can stall when all "
        + "its threads wait. Call ConnectionMultiplexer.SetFeatureFlag(\"DedicatedThreads\", true) before connecting, let {Method} open "
        + "the connection, or set UseDedicatedThreads to false to be told no more.")]
    public static partial void NoDedicatedThreads(this ILogger logger, string method);

    [LoggerMessage(
        SessionEvents.ManySequentialReads, LogLevel.Information,
        "A request has read session {SessionId} {Count} times, each time waiting for the reply before the next read. One LoadAsync, or one "
        + "ReadAsync(keys) with all the keys, is a single round trip.")]
    public static partial void ManySequentialReads(this ILogger logger, string sessionId, int count);

    [LoggerMessage(
        SessionEvents.ListingFailed, LogLevel.Warning,
        "The list of a user's sessions could not be brought up to date with session {SessionId}; its next request tries again.")]
    public static partial void ListingFailed(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(
        SessionEvents.UserUnknown, LogLevel.Warning,
        "UserIdentifier failed; this request does not bind session {SessionId} to a user.")]
    public static partial void UserUnknown(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(SessionEvents.SessionEnded, LogLevel.Debug, "Session {SessionId} was ended from outside.")]
    public static partial void SessionEnded(this ILogger logger, string sessionId);

    [LoggerMessage(SessionEvents.HandlerFailed, LogLevel.Warning, "{Handler} failed when it was told: {Event}.")]
    public static partial void HandlerFailed(this ILogger logger, string handler, string @event, Exception error);

    [LoggerMessage(
        SessionEvents.EventsDropped, LogLevel.Warning,
        "{Count} events were dropped and not told to ISessionLifecycle handlers: {Limit} (MaxPendingEvents) were waiting. The handlers are "
        + "slower than the sessions come and go.")]
    public static partial void EventsDropped(this ILogger logger, long count, int limit);

    [LoggerMessage(
        SessionEvents.ExpiriesUnheard, LogLevel.Warning,
        "Redis does not report expired sessions, so ISessionLifecycle handlers are not told of them: on {Servers} the setting "
        + "notify-keyspace-events must contain E and x (\"Ex\"), which is not changed from here, and the Redis user must be allowed to "
        + "subscribe to {Channel}. As soon as that is so, they are told.")]
    public static partial void ExpiriesUnheard(this ILogger logger, string servers, string channel);

    [LoggerMessage(
        SessionEvents.ExpiriesMissed, LogLevel.Warning,
        "From {Since} until {Until} no instance listened: sessions that expired then have not been told to ISessionLifecycle handlers.")]
    public static partial void ExpiriesMissed(this ILogger logger, DateTimeOffset since, DateTimeOffset until);

    [LoggerMessage(
        SessionEvents.ListeningFailed, LogLevel.Warning,
        "Listening for expired sessions failed; tried again every {Interval}, and this is not logged again until it has worked.")]
    public static partial void ListeningFailed(this ILogger logger, TimeSpan interval, Exception error);

    [LoggerMessage(
        SessionEvents.ClaimFailed, LogLevel.Warning,
        "Session {SessionId} has expired, and it may be that no ISessionLifecycle handler is told: Redis could not be asked whose it was.")]
    public static partial void ClaimFailed(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(
        SessionEvents.EventsNotTold, LogLevel.Warning,
        "The application has stopped before {Count} events were told to ISessionLifecycle handlers, and the one that was being told.")]
    public static partial void EventsNotTold(this ILogger logger, int count);

    [LoggerMessage(SessionEvents.SessionTakenOver, LogLevel.Debug, "Session {SessionId} of AddSession taken over, {Count} keys.")]
    public static partial void SessionTakenOver(this ILogger logger, string sessionId, int count);

    [LoggerMessage(
        SessionEvents.StockSessionUnreadable, LogLevel.Warning,
        "What AddSession has left of session {SessionId} cannot be taken over: these {Length} bytes are no session. It begins empty.")]
    public static partial void StockSessionUnreadable(this ILogger logger, string sessionId, int length);

    [LoggerMessage(
        SessionEvents.StockSessionNotMarked, LogLevel.Warning,
        "What AddSession has left of session {SessionId} could not be marked as taken over or ended: if the session ends while it is "
        + "there, it can be taken over once more.")]
    public static partial void StockSessionNotMarked(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(
        SessionEvents.RenewedCookieHeldBack, LogLevel.Error,
        "Session {SessionId} keeps its key: the new cookie is not in the response. Something between the session and the response, such as a "
        + "cookie policy, holds it back.")]
    public static partial void RenewedCookieHeldBack(this ILogger logger, string sessionId);

    [LoggerMessage(
        SessionEvents.RenewalNotSealed, LogLevel.Warning,
        "Session {SessionId} was renewed, and Redis could not be told that the new cookie was sent: the old cookie may find the old session, "
        + "as it was before the renewal, until that expires.")]
    public static partial void RenewalNotSealed(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(
        SessionEvents.SecureAsInSeed, LogLevel.Information,
        "The session cookie is Secure, as in redis-session, whose settings are in use: browsers send it over HTTPS only. "
        + "To decide it yourself, set SESSION_COOKIE_SECURE to true or false.")]
    public static partial void SecureAsInSeed(this ILogger logger);

    [LoggerMessage(
        SessionEvents.SettingNearlyOurs, LogLevel.Warning,
        "Nothing that {Method} adds reads the setting {Name}: is {Meant} meant?")]
    public static partial void SettingNearlyOurs(this ILogger logger, string method, string name, string meant);

    [LoggerMessage(
        SessionEvents.LoadsAhead, LogLevel.Debug,
        "Endpoint {Endpoint} reads its session synchronously: from now on that is loaded before its requests go on.")]
    public static partial void LoadsAhead(this ILogger logger, string endpoint);

    [LoggerMessage(SessionEvents.CookieUnreadable, LogLevel.Warning, "A session cookie cannot be read; the request begins without a session.")]
    public static partial void CookieUnreadable(this ILogger logger, Exception error);

    [LoggerMessage(
        SessionEvents.RequestUnknown, LogLevel.Warning,
        "A session does not know its request, so what that changes is written after the response, and a failure is told to nobody: the "
        + "pipeline of the services of AddRedisHashSession was not begun by the host. Call UseRedisHashSession in the place of UseSession.")]
    public static partial void RequestUnknown(this ILogger logger);

    [LoggerMessage(SessionEvents.CommitFailed, LogLevel.Error, "Committing the session that the application has set for a request failed.")]
    public static partial void CommitFailed(this ILogger logger, Exception error);
}
