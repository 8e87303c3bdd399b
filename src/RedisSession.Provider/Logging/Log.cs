using Microsoft.Extensions.Logging;

namespace RedisSession.Provider;

/// <summary>
/// The log messages for sessions. They contain public ids, never session keys or values. Tests and alerts rely on the event ids. Routine
/// events are Debug: at Information, an application that switches from AddSession, whose category the templates set to Warning, would log
/// a line for every visitor.
/// </summary>
internal static partial class Log
{
    [LoggerMessage(
        SessionEvents.AccessingExpiredSession, LogLevel.Debug,
        "The cookie names session {SessionId}, which has expired or ended.")]
    public static partial void AccessingExpiredSession(this ILogger logger, string sessionId);

    [LoggerMessage(SessionEvents.SessionStarted, LogLevel.Debug, "Session {SessionId} started.")]
    public static partial void SessionStarted(this ILogger logger, string sessionId);

    [LoggerMessage(SessionEvents.SessionLoaded, LogLevel.Debug, "Session {SessionId} loaded, {Count} keys.")]
    public static partial void SessionLoaded(this ILogger logger, string sessionId, int count);

    [LoggerMessage(SessionEvents.SessionStored, LogLevel.Debug, "Changes to session {SessionId} stored.")]
    public static partial void SessionStored(this ILogger logger, string sessionId);

    [LoggerMessage(SessionEvents.ReadFailed, LogLevel.Error, "Reading session {SessionId} failed.")]
    public static partial void ReadFailed(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(SessionEvents.WriteFailed, LogLevel.Error, "Writing session {SessionId} failed; the request's changes are lost.")]
    public static partial void WriteFailed(this ILogger logger, string sessionId, Exception? error);

    [LoggerMessage(
        SessionEvents.WriteRefused, LogLevel.Warning,
        "Session {SessionId} has ended since this request first accessed it; the request's changes were not written.")]
    public static partial void WriteRefused(this ILogger logger, string sessionId);

    [LoggerMessage(SessionEvents.TimedOut, LogLevel.Warning, "Timed out {Doing} session {SessionId} after the IOTimeout of {Timeout}.")]
    public static partial void TimedOut(this ILogger logger, string sessionId, string doing, TimeSpan timeout);

    [LoggerMessage(SessionEvents.RefreshFailed, LogLevel.Warning, "Refreshing the expiry of session {SessionId} failed.")]
    public static partial void RefreshFailed(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(SessionEvents.SessionRenewed, LogLevel.Debug, "Session {OldSessionId} was renewed and is now {SessionId}.")]
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
        "Redis at {EndPoints} is not available yet. Requests that need it will be served as soon as it is available.")]
    public static partial void NotConnectedYet(this ILogger logger, string endPoints, Exception error);

    [LoggerMessage(SessionEvents.ConnectingFailed, LogLevel.Error, "Connecting to Redis failed; the next request will try again.")]
    public static partial void ConnectingFailed(this ILogger logger, Exception error);

    [LoggerMessage(
        SessionEvents.ConnectionRefused, LogLevel.Error,
        "Redis refuses the connection: {Reason}. Connecting is retried; this message is not logged again until that succeeds.")]
    public static partial void ConnectionRefused(this ILogger logger, string reason, Exception error);

    [LoggerMessage(
        SessionEvents.WrongUser, LogLevel.Error,
        "Redis at {EndPoint} did not accept the password of the user '{Wanted}' and treats the connection as the user '{Actual}', so "
        + "sessions have the permissions of '{Actual}' there. Correct the password, and disable the user 'default'.")]
    public static partial void WrongUser(this ILogger logger, string endPoint, string actual, string wanted);

    [LoggerMessage(
        SessionEvents.NoDedicatedThreads, LogLevel.Warning,
        "The application's Redis connection reads replies on the thread pool, so synchronous calls can stall when all pool threads are "
        + "blocked. Call ConnectionMultiplexer.SetFeatureFlag(\"DedicatedThreads\", true) before connecting, let {Method} open the "
        + "connection, or set UseDedicatedThreads to false to silence this warning.")]
    public static partial void NoDedicatedThreads(this ILogger logger, string method);

    [LoggerMessage(
        SessionEvents.ManySequentialReads, LogLevel.Information,
        "A request read session {SessionId} in {Count} sequential round trips. A LoadAsync call, or a ReadAsync(keys) call with all the "
        + "keys, takes a single round trip.")]
    public static partial void ManySequentialReads(this ILogger logger, string sessionId, int count);

    [LoggerMessage(
        SessionEvents.ListingFailed, LogLevel.Warning,
        "Could not record the user of session {SessionId} in the user's list, or for the handlers of its end. The session's next request "
        + "tries again.")]
    public static partial void ListingFailed(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(
        SessionEvents.UserUnknown, LogLevel.Warning,
        "UserIdentifier threw an exception, so this request does not bind session {SessionId} to a user.")]
    public static partial void UserUnknown(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(SessionEvents.SessionEnded, LogLevel.Debug, "Session {SessionId} was ended through IRedisSessionDirectory.")]
    public static partial void SessionEnded(this ILogger logger, string sessionId);

    [LoggerMessage(SessionEvents.HandlerFailed, LogLevel.Warning, "{Handler} failed to handle {Event}.")]
    public static partial void HandlerFailed(this ILogger logger, string handler, string @event, Exception error);

    [LoggerMessage(
        SessionEvents.EventsDropped, LogLevel.Warning,
        "{Count} events were dropped because {Limit} (MaxPendingEvents) were already waiting: the ISessionLifecycle handlers cannot keep "
        + "up with the events.")]
    public static partial void EventsDropped(this ILogger logger, long count, int limit);

    [LoggerMessage(
        SessionEvents.ExpiriesUnheard, LogLevel.Warning,
        "Redis does not report expired sessions, so ISessionLifecycle handlers are not called for them. On {Servers}, set "
        + "notify-keyspace-events so that it contains E and x (\"Ex\"), and allow the Redis user to subscribe to {Channel}. Expirations "
        + "are delivered from then on.")]
    public static partial void ExpiriesUnheard(this ILogger logger, string servers, string channel);

    [LoggerMessage(
        SessionEvents.ExpiriesMissed, LogLevel.Warning,
        "No instance listened for expired sessions from {Since} until {Until}: ISessionLifecycle handlers were not called for sessions "
        + "that expired in that period.")]
    public static partial void ExpiriesMissed(this ILogger logger, DateTimeOffset since, DateTimeOffset until);

    [LoggerMessage(
        SessionEvents.ListeningFailed, LogLevel.Warning,
        "Listening for expired sessions failed. It is retried every {Interval}; this message is not logged again until that succeeds.")]
    public static partial void ListeningFailed(this ILogger logger, TimeSpan interval, Exception error);

    [LoggerMessage(
        SessionEvents.ClaimFailed, LogLevel.Warning,
        "Session {SessionId} has expired, but its owner could not be read from Redis: ISessionLifecycle handlers may not be called.")]
    public static partial void ClaimFailed(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(
        SessionEvents.EventsNotTold, LogLevel.Warning,
        "The application stopped before {Count} events, and the one in progress, were delivered to ISessionLifecycle handlers.")]
    public static partial void EventsNotTold(this ILogger logger, int count);

    [LoggerMessage(SessionEvents.SessionTakenOver, LogLevel.Debug, "Session {SessionId} taken over from AddSession, {Count} keys.")]
    public static partial void SessionTakenOver(this ILogger logger, string sessionId, int count);

    [LoggerMessage(
        SessionEvents.StockSessionUnreadable, LogLevel.Warning,
        "Session {SessionId} cannot be taken over from AddSession: the {Length}-byte payload is not a valid session; starting an empty "
        + "one.")]
    public static partial void StockSessionUnreadable(this ILogger logger, string sessionId, int length);

    [LoggerMessage(
        SessionEvents.StockSessionNotMarked, LogLevel.Warning,
        "The legacy data of session {SessionId}, from AddSession, could not be marked as taken over or ended. If the session ends while "
        + "that data exists, it can be taken over again.")]
    public static partial void StockSessionNotMarked(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(
        SessionEvents.RenewedCookieHeldBack, LogLevel.Error,
        "Session {SessionId} keeps its key because the new cookie is missing from the response: something, such as a cookie policy, "
        + "removed it.")]
    public static partial void RenewedCookieHeldBack(this ILogger logger, string sessionId);

    [LoggerMessage(
        SessionEvents.RenewalNotSealed, LogLevel.Warning,
        "Session {SessionId} was renewed, but it could not be recorded in Redis that the new cookie was sent: until the old session "
        + "expires, the old cookie may give access to its state before the renewal.")]
    public static partial void RenewalNotSealed(this ILogger logger, string sessionId, Exception error);

    [LoggerMessage(
        SessionEvents.SecureAsInSeed, LogLevel.Information,
        "The session cookie is Secure, which is the default with redis-session's settings: browsers send it over HTTPS only. To choose "
        + "explicitly, set SESSION_COOKIE_SECURE to true or false.")]
    public static partial void SecureAsInSeed(this ILogger logger);

    [LoggerMessage(
        SessionEvents.SettingNearlyOurs, LogLevel.Warning,
        "{Method} does not read the setting {Name}. Did you mean {Meant}?")]
    public static partial void SettingNearlyOurs(this ILogger logger, string method, string name, string meant);

    [LoggerMessage(
        SessionEvents.LoadsAhead, LogLevel.Debug,
        "Endpoint {Endpoint} reads its session synchronously. From now on, the session is loaded before the endpoint runs.")]
    public static partial void LoadsAhead(this ILogger logger, string endpoint);

    [LoggerMessage(
        SessionEvents.CookieUnreadable, LogLevel.Warning,
        "The session cookie cannot be read. The request starts without a session.")]
    public static partial void CookieUnreadable(this ILogger logger, Exception error);

    [LoggerMessage(
        SessionEvents.RequestUnknown, LogLevel.Warning,
        "A session could not find its request: its changes are written after the response, and a failure does not reach the client. "
        + "Call UseRedisHashSession instead of UseSession.")]
    public static partial void RequestUnknown(this ILogger logger);

    [LoggerMessage(SessionEvents.CommitFailed, LogLevel.Error, "Committing a session that the application assigned to a request failed.")]
    public static partial void CommitFailed(this ILogger logger, Exception error);
}
