using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// Creates a <see cref="RedisHashSession"/> for each request through one pipeline, and holds the operations that they all share. Sends
/// nothing.
/// </summary>
internal sealed class RedisHashSessionStore(
    SessionNames names,
    SessionChannel channel,
    SessionReader reader,
    SessionWriter writer,
    AtomicChanges atomic,
    KeyRenewal renewal,
    SessionEnding ending,
    ExclusiveSessions exclusive,
    ExpiryRefresh refresh,
    SessionListing listing,
    CurrentRequest request,
    IOptions<RedisHashSessionOptions> options) : ISessionStore
{
    private readonly CurrentRequest _request = request.AddStore();
    private readonly TimeSpan? _absoluteTimeout = options.Value.AbsoluteTimeout;
    private readonly TimeSpan _refreshInterval = options.Value.RefreshInterval;
    private SessionTimeouts? _lastTimeouts;

    public SessionChannel Channel { get; } = channel;

    public SessionReader Reader { get; } = reader;

    public SessionWriter Writer { get; } = writer;

    public AtomicChanges Atomic { get; } = atomic;

    public KeyRenewal Renewal { get; } = renewal;

    public SessionEnding Ending { get; } = ending;

    public ExclusiveSessions Exclusive { get; } = exclusive;

    public ExpiryRefresh Refresh { get; } = refresh;

    public SessionListing Listing { get; } = listing;

    public ISession Create(
        string sessionKey, TimeSpan idleTimeout, TimeSpan ioTimeout, Func<bool> tryEstablishSession, bool isNewSessionKey)
    {
        ArgumentException.ThrowIfNullOrEmpty(sessionKey);
        ArgumentNullException.ThrowIfNull(tryEstablishSession);
        var holder = _request.Find();
        if (holder?.Context?.GetEndpoint() is { } endpoint && ExclusiveEndpoints.Of(endpoint) is not null)
            throw ExclusiveEndpoints.NotHeard(endpoint); // UseSession takes no lock
        return SessionOf(holder, sessionKey, isNewSessionKey, TimeoutsOf(idleTimeout, ioTimeout), tryEstablishSession, cookie: null);
    }

    /// <summary>Called once, for the middleware that begins every session with <see cref="Begin"/>: requests need not be recorded for it.</summary>
    public void ServeOwnMiddleware() => _request.RemoveStore();

    /// <summary>The session of a request. It is its own feature and sets its cookie itself.</summary>
    public RedisHashSession Begin(RequestHolder request, SessionCookie cookie)
    {
        string? sessionKey = cookie.KeyIn(request.Context!.Request);
        var timeouts = TimeoutsOf(cookie.Options.IdleTimeout, cookie.Options.IOTimeout);
        return SessionOf(request, sessionKey, sessionKey is null, timeouts, tryEstablish: null, cookie);
    }

    /// <summary>Once per request, when it is over, because only then is the number known.</summary>
    public void HintAtManyReads(RequestSession session)
    {
        if (session.Reads.Count > SequentialReads.Many) Channel.Logger.ManySequentialReads(session.Id, session.Reads.Count);
    }

    private RedisHashSession SessionOf(
        RequestHolder? holder, string? sessionKey, bool isNew, SessionTimeouts timeouts, Func<bool>? tryEstablish, SessionCookie? cookie)
    {
        // A second pass cannot recognize a new session by its key, but comes through the same pipeline.
        object origin = cookie is null ? this : cookie.Name;
        var context = holder?.Context;
        var session = context is null ? null : PipelineSession.OfEarlierPass(context, isNew ? null : sessionKey, origin) as RedisHashSession;
        if (session is null)
        {
            session = new(this, origin, new(names.Identify(sessionKey, isNew)), timeouts, tryEstablish);
            if (context is not null) session.Remember(context.Features);
        }

        session.Cookie ??= cookie;
        if (holder is not null) session.Enter(holder, timeouts, isItsFeature: cookie is not null);
        return session;
    }

    // The middleware passes the same ones for each request.
    private SessionTimeouts TimeoutsOf(TimeSpan idle, TimeSpan io)
    {
        var last = _lastTimeouts;
        if (last is null || last.Idle != idle || last.IO != io) _lastTimeouts = last = new(idle, io, _absoluteTimeout, _refreshInterval);
        return last;
    }
}
