using Microsoft.AspNetCore.Session;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Makes a <see cref="RedisHashSession"/> for each request, and has the operations that all of them share. Sends nothing.</summary>
internal sealed class RedisHashSessionStore(
    SessionNames names,
    SessionChannel channel,
    SessionReader reader,
    SessionWriter writer,
    AtomicChanges atomic,
    KeyRenewal renewal,
    SessionEnding ending,
    ExpiryRefresh refresh,
    SessionListing listing,
    CurrentRequest request,
    IOptions<RedisHashSessionOptions> options) : ISessionStore
{
    private readonly TimeSpan? _absoluteTimeout = options.Value.AbsoluteTimeout;
    private readonly TimeSpan _refreshInterval = options.Value.RefreshInterval;
    private SessionTimeouts? _lastTimeouts;

    public SessionChannel Channel { get; } = channel;

    public SessionReader Reader { get; } = reader;

    public SessionWriter Writer { get; } = writer;

    public AtomicChanges Atomic { get; } = atomic;

    public KeyRenewal Renewal { get; } = renewal;

    public SessionEnding Ending { get; } = ending;

    public ExpiryRefresh Refresh { get; } = refresh;

    public SessionListing Listing { get; } = listing;

    public ISession Create(
        string sessionKey, TimeSpan idleTimeout, TimeSpan ioTimeout, Func<bool> tryEstablishSession, bool isNewSessionKey)
    {
        ArgumentException.ThrowIfNullOrEmpty(sessionKey);
        ArgumentNullException.ThrowIfNull(tryEstablishSession);
        var state = new SessionState(names.Identify(sessionKey, isNewSessionKey));
        return new RedisHashSession(this, state, TimeoutsOf(idleTimeout, ioTimeout), tryEstablishSession, request.Context);
    }

    /// <summary>Once for each request, when it is over, because only then the number is known.</summary>
    public void HintAtManyReads(RequestSession session)
    {
        if (session.Reads.Count > SequentialReads.Many) Channel.Logger.ManySequentialReads(session.Id, session.Reads.Count);
    }

    // The middleware gives the same ones for each request.
    private SessionTimeouts TimeoutsOf(TimeSpan idle, TimeSpan io)
    {
        var last = _lastTimeouts;
        if (last is null || last.Idle != idle || last.IO != io) _lastTimeouts = last = new(idle, io, _absoluteTimeout, _refreshInterval);
        return last;
    }
}
