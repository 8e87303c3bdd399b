using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// The session of one request, as operations see it: the <see cref="SessionState"/>, the request it belongs to, and the tasks in flight for
/// it.
/// </summary>
/// <param name="state">What the request knows and has changed.</param>
/// <param name="timeouts">The timeouts of the request's pipeline.</param>
/// <param name="tryEstablish">Sets a new session's cookie with the response; null if this class does so itself.</param>
internal abstract class RequestSession(SessionState state, SessionTimeouts timeouts, Func<bool>? tryEstablish) : INamedSession
{
    /// <summary>The value of <see cref="Confirmation"/> while nothing was sent.</summary>
    public static readonly Task<ExceptionDispatchInfo?> Confirmed = Task.FromResult<ExceptionDispatchInfo?>(null);

    private Handover? _start;
    private bool _isWatchingResponse;

    public SessionState State { get; } = state;

    /// <summary>Those of the pipeline that the request has entered last.</summary>
    public SessionTimeouts Timeouts { get; private set; } = timeouts;

    /// <summary>The identity in the request's cookie, whatever becomes of the key.</summary>
    public SessionIdentity Given { get; } = state.Identity;

    /// <summary>
    /// The cookie with the options of the pipeline that the request came through; null if only SessionMiddleware knows them.
    /// </summary>
    public SessionCookie? Cookie { get; set; }

    /// <summary>Null if there is no request, or no longer one.</summary>
    public HttpContext? Request => IsOver ? null : Context;

    public string Id => State.Identity.Id;

    /// <summary>
    /// Completes when every batch sent is confirmed, with null or with the failure as its result: a faulted task would have to be observed.
    /// </summary>
    public Task<ExceptionDispatchInfo?> Confirmation { get; set; } = Confirmed;

    /// <summary>The last change that depends on what Redis holds. Replies are processed in the order of sending.</summary>
    public Task Operation { get; set; } = Task.CompletedTask;

    /// <summary>
    /// A change in flight that may have to wait for a takeover and be resent after it: no other change may come in between. Null if there
    /// is none.
    /// </summary>
    public Task? ChangeToWaitFor
    {
        get => field is { IsCompleted: false } change ? change : null;
        set;
    }

    /// <summary>Completes when the session has its new key, or keeps the old one. Changes wait for that.</summary>
    public Task Move { get; set; } = Task.CompletedTask;

    /// <summary>What must complete before a change to the session is sent; null if it may be sent now. Called inside the lock.</summary>
    public Task? WhatToWaitFor => State.IsMoving ? Move : ChangeToWaitFor ?? Lock?.Release;

    /// <summary>The update of the user's list in flight.</summary>
    public Task Listing { get; set; } = Task.CompletedTask;

    /// <summary>The response waits for <see cref="Listing"/>.</summary>
    public bool IsListingWaitedFor { get; set; }

    /// <summary>
    /// False while a listing is in flight that was sent with what the request waits for anyway, and that is the first for its user. If
    /// Redis does not answer, nothing waits for it.
    /// </summary>
    public bool IsListed => !IsListingWaitedFor || Listing.IsCompleted || State.Failure is not null;

    /// <summary>The key renewal of this request; null if there was none, or it was undone.</summary>
    public PendingRenewal? Renewal { get; set; }

    /// <summary>A synchronous read waited for Redis; it would not have, had the session been loaded before.</summary>
    public bool HasBlocked { get; set; }

    /// <summary>A synchronous read came too late for what was loaded ahead: see <see cref="SessionSnapshot.AheadSince"/>.</summary>
    public bool HasReadLate { get; set; }

    /// <summary>The session lock that this request holds; null while it holds none.</summary>
    public HeldLock? Lock { get; set; }

    /// <summary>The response is starting or has started: no more renewals.</summary>
    public bool IsResponseStarting { get; protected set; }

    // Counted for a hint in the log. Guarded by the state's lock, like all of this.
    public SequentialReads Reads;

    /// <summary>The request has left the pipeline for the last time, as far as is known.</summary>
    protected bool IsOver { get; set; }

    /// <summary>The response must set the cookie of a new session.</summary>
    protected bool IsEstablished { get; private set; }

    protected RequestHolder? Holder { get; private set; }

    /// <summary>Same as <see cref="Request"/>, but also after the pipeline, when the response may still have to start.</summary>
    protected HttpContext? Context => Holder?.Context;

    /// <summary>
    /// The request begins to use the session. <see cref="OnResponseStartingAsync"/> is called before its response starts: such callbacks
    /// run last to first, so this one runs after the application's, which may change the session too.
    /// </summary>
    protected void Enter(RequestHolder holder, SessionTimeouts timeouts)
    {
        (Holder, Timeouts) = (holder, timeouts);
        IsOver = false;
        if (holder.Context is { } request) WatchResponse(request);
    }

    protected bool IsOf(HttpContext request) => Holder?.Context == request;

    /// <summary>The request is over, and its context will serve another one.</summary>
    protected void Forget() => Holder = null;

    /// <summary>Registers <see cref="OnResponseStartingAsync"/>, unless it is registered already or the response has started.</summary>
    public void WatchResponse(HttpContext request)
    {
        if (_isWatchingResponse || request.Response.HasStarted) return;
        _isWatchingResponse = true;
        request.Response.OnStarting(static session => ((RequestSession)session).StartResponseAsync(), this);
    }

    /// <summary>The response is about to start: confirms the changes and sets the cookie that goes with it.</summary>
    protected abstract Task OnResponseStartingAsync();

    /// <summary>Makes sure that the response sets the session's cookie; false if it no longer can.</summary>
    public bool TryEstablish()
    {
        if (tryEstablish is not null) return tryEstablish();
        if (Given.IsNew) IsEstablished |= Context is { Response.HasStarted: false };
        return !Given.IsNew || IsEstablished;
    }

    /// <summary>Refuses, at the earliest moment, what ASP.NET Core's session refuses; returns the normal form of the key.</summary>
    public string CheckSet(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        SessionHashLayout.ThrowIfNotAKey(key);
        if (!TryEstablish())
        {
            throw new InvalidOperationException("The session cannot be established after the response has started.");
        }

        return SessionHashLayout.Normalize(key);
    }

    /// <summary>Completes when a response start in progress is over.</summary>
    protected Task ResponseStartedAsync() => _start?.OverAsync() ?? Task.CompletedTask;

    private Task StartResponseAsync()
    {
        var request = Holder;
        var confirming = OnResponseStartingAsync();
        return confirming.IsCompleted ? confirming : (_start = new(confirming, request)).Task;
    }
}
