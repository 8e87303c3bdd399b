using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// Handles the events of sessions: they begin, get a new key, and end. Register any number of handlers as <see cref="ISessionLifecycle"/>,
/// with any lifetime, and implement the methods you need. Without a handler, events cost nothing.
/// </summary>
/// <remarks>
/// <para>
/// Requests do not wait for handlers. Events are delivered one at a time, in the order in which this instance learnt of them, each in its
/// own scope and to all handlers in the order of their registration. A slow handler delays the events behind it; if more than
/// <see cref="RedisHashSessionOptions.MaxPendingEvents"/> wait, the newest are dropped, which is logged (event id 44). A handler that
/// throws is logged (event id 25), and the others are called all the same.
/// </para>
/// <para>
/// Each event is delivered at one instance of the application, at most once: what a request or the directory did, where it was done.
/// Expirations are detected through keyspace notifications: <c>notify-keyspace-events</c> must contain <c>E</c> and <c>x</c> on every
/// primary. The library does not change that setting (a warning, event id 26, says if it is missing). Redis reports an expiration when it
/// removes the session, which can be later than the expiration itself. The first instance to claim the session delivers it. If that
/// instance dies before its handlers have run, or Redis is away at that moment, the event is lost. Sessions that are evicted, or removed by
/// other programs, are not reported.
/// </para>
/// <para>
/// On shutdown, pending events are delivered first, after the web server has stopped and within the host's shutdown timeout
/// (<c>HostOptions.ShutdownTimeout</c>).
/// </para>
/// <para>
/// With a handler, this costs: a <c>SET</c> that nobody waits for whenever a session is added to its user's list; for each expiration a
/// <c>SET</c> by each instance, and a <c>GET</c> by the one that delivers it; and every five seconds two commands for each primary, and a
/// script, by each instance.
/// </para>
/// </remarks>
public interface ISessionLifecycle
{
    /// <summary>A session has begun. A takeover (<c>TakeOverSessions</c>) is not reported: that session began long ago.</summary>
    /// <param name="created">Which one.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout is over.</param>
    Task CreatedAsync(SessionCreated created, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A session has a new key, and so a new <see cref="ISession.Id"/>. This is neither an end nor a beginning.</summary>
    /// <param name="renewed">Which one.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout is over.</param>
    Task RenewedAsync(SessionRenewed renewed, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A session has ended.</summary>
    /// <param name="ended">Which one, and why.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout is over.</param>
    Task EndedAsync(SessionEnded ended, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// For a period no instance of the application listened, because none ran, or Redis was away or did not report expirations. Called
    /// once, at the instance that listened first afterwards: at once if the last one had stopped in an orderly way, otherwise about 15
    /// seconds later, when it is certain that it is gone. Check what you keep for sessions: <see cref="IRedisSessionDirectory"/> says which
    /// ones live.
    /// </summary>
    /// <param name="missed">When that was.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout is over.</param>
    Task ExpiriesMissedAsync(SessionExpiriesMissed missed, CancellationToken cancellationToken) => Task.CompletedTask;
}
