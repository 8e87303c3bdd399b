using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// Handles session events: sessions begin, get a new key, and end. Register any number of handlers as <see cref="ISessionLifecycle"/>, with
/// any lifetime, and implement the methods you need. Without a handler, events cost nothing.
/// </summary>
/// <remarks>
/// <para>
/// Requests do not wait for handlers. Events are delivered one at a time, in the order in which this instance detected them, each in its
/// own scope and to all handlers in the order of their registration. A slow handler delays subsequent events; if more than
/// <see cref="RedisHashSessionOptions.MaxPendingEvents"/> are waiting, the newest are dropped, which is logged (event id 44). An exception
/// from a handler is logged (event id 25), and the remaining handlers are still called.
/// </para>
/// <para>
/// Each event is delivered by one instance of the application, at most once. Actions of a request or of the directory are delivered by the
/// instance that performed them. Expirations are detected through keyspace notifications: <c>notify-keyspace-events</c> must contain
/// <c>E</c> and <c>x</c> on every primary. The library does not change that setting; it logs a warning (event id 26) if it is missing.
/// Redis reports an expiration when it removes the session, which can be later than the expiration itself. The first instance to claim the
/// session delivers the event. If that instance dies before its handlers have run, or Redis is unavailable at that moment, the event is
/// lost. Sessions that are evicted, or removed by other programs, are not reported.
/// </para>
/// <para>
/// On shutdown, pending events are delivered first, after the web server has stopped and within the host's shutdown timeout
/// (<c>HostOptions.ShutdownTimeout</c>).
/// </para>
/// <para>
/// With a handler, the cost is: one <c>SET</c>, without waiting for the reply, whenever a session is added to its user's list; for each
/// expiration, one <c>SET</c> by each instance and one <c>GET</c> by the instance that delivers it; and, every five seconds, two commands
/// for each primary and one script by each instance.
/// </para>
/// </remarks>
public interface ISessionLifecycle
{
    /// <summary>
    /// A session has begun. The takeover of a legacy session (<c>TakeOverSessions</c>) is not reported, because that session began earlier.
    /// </summary>
    /// <param name="created">Which session.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout has elapsed.</param>
    Task CreatedAsync(SessionCreated created, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A session has a new key and therefore a new <see cref="ISession.Id"/>. This is neither an end nor a beginning.</summary>
    /// <param name="renewed">Which session.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout has elapsed.</param>
    Task RenewedAsync(SessionRenewed renewed, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A session has ended.</summary>
    /// <param name="ended">Which session, and why it ended.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout has elapsed.</param>
    Task EndedAsync(SessionEnded ended, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// For some time, no instance of the application listened for expirations, because none was running, or Redis was unavailable or did
    /// not report expirations. Called once, on the instance that was the first to listen again: immediately if the last instance shut down
    /// cleanly, otherwise about 15 seconds later, when it is certain that the last instance is gone. Check the data that you keep for
    /// sessions: <see cref="IRedisSessionDirectory"/> tells which sessions are live.
    /// </summary>
    /// <param name="missed">The period.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout has elapsed.</param>
    Task ExpiriesMissedAsync(SessionExpiriesMissed missed, CancellationToken cancellationToken) => Task.CompletedTask;
}
