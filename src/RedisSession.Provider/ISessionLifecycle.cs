using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// Is told when sessions begin, get a new key and end. Register any number of them as <see cref="ISessionLifecycle"/>, with any lifetime,
/// and implement what you need: what is left out does nothing. While none is registered, nothing of this costs anything.
/// </summary>
/// <remarks>
/// <para>
/// Requests do not wait for handlers: events are told one after the other, in the order in which this instance learnt of them, each in a
/// scope of its own and to all handlers in the order of their registration. A handler that takes long holds up the events behind it; when
/// more than <see cref="RedisHashSessionOptions.MaxPendingEvents"/> wait, the newest are dropped and that is logged (event id 36). One that
/// throws is logged (event id 25), and the others are told all the same.
/// </para>
/// <para>
/// Each event is told at one instance of the application, at most once. What a request or the directory did is told where it was done. An
/// expiry is told where Redis reports it: that needs <c>notify-keyspace-events</c> to contain <c>E</c> and <c>x</c> on every primary, which
/// is not changed from here (a warning, event id 26, says when it is not so). Redis reports an expiry when it removes the session, at its
/// next look at it, which can be later than the expiry itself; of several instances the first one that claims the session tells it. If that
/// one dies before its handlers have run, or Redis is away at that moment, the event is lost; sessions that are evicted for want of memory,
/// or removed by others, are not told.
/// </para>
/// <para>
/// When the application stops, what is known by then is told within the host's shutdown timeout (<c>HostOptions.ShutdownTimeout</c>), after
/// the web server has stopped.
/// </para>
/// <para>
/// Costs where there is a handler: a <c>SET</c> that nobody waits for whenever a session is put into its user's list; at each expiry a
/// <c>SET</c> for each instance, and a <c>GET</c> for the one that tells it; every five seconds and instance two commands for each primary,
/// and a script.
/// </para>
/// </remarks>
public interface ISessionLifecycle
{
    /// <summary>A session has begun. One that is taken over (<c>TakeOverSessions</c>) has begun long ago, and is not told.</summary>
    /// <param name="created">Which one.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout is over.</param>
    Task CreatedAsync(SessionCreated created, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A session has a new key, and so a new <see cref="ISession.Id"/>. This is neither an end nor a beginning.</summary>
    /// <param name="renewed">Which one.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout is over.</param>
    Task RenewedAsync(SessionRenewed renewed, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A session is no more.</summary>
    /// <param name="ended">Which one, and why.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout is over.</param>
    Task EndedAsync(SessionEnded ended, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// For a time no instance of the application listened, because none ran, or Redis was away or did not report expiries. Told once, by
    /// the instance that listened first afterwards: at once where the last one had stopped in an orderly way, else some 15 seconds later,
    /// when it is certain that it is gone. Look at what you keep of sessions: <see cref="IRedisSessionDirectory"/> says which ones live.
    /// </summary>
    /// <param name="missed">When that was.</param>
    /// <param name="cancellationToken">Cancelled when the application stops and its shutdown timeout is over.</param>
    Task ExpiriesMissedAsync(SessionExpiriesMissed missed, CancellationToken cancellationToken) => Task.CompletedTask;
}
