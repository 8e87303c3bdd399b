using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// The session of one request, as operations see it: the <see cref="SessionState"/>, the request that it belongs to, and the tasks that are
/// under way for it.
/// </summary>
/// <param name="state">What the request knows and has changed.</param>
/// <param name="timeouts">Of the pipeline that the request came through.</param>
/// <param name="tryEstablish">Sets the cookie of a new session with the response; null where this does it itself.</param>
internal abstract class RequestSession(SessionState state, SessionTimeouts timeouts, Func<bool>? tryEstablish) : INamedSession
{
    /// <summary>What <see cref="Confirmation"/> is while nothing was sent.</summary>
    public static readonly Task<ExceptionDispatchInfo?> Confirmed = Task.FromResult<ExceptionDispatchInfo?>(null);

    private Handover? _start;
    private bool _isWatchingResponse;

    public SessionState State { get; } = state;

    public SessionTimeouts Timeouts { get; } = timeouts;

    /// <summary>What the cookie of the request names, whatever becomes of the key.</summary>
    public SessionIdentity Given { get; } = state.Identity;

    /// <summary>
    /// The cookie with the options of the pipeline that the request came through; null where only SessionMiddleware knows them.
    /// </summary>
    public SessionCookie? Cookie { get; set; }

    /// <summary>Null where there is none, or none any more.</summary>
    public HttpContext? Request => IsOver ? null : Context;

    public string Id => State.Identity.Id;

    /// <summary>
    /// Done when every batch that was sent is confirmed, with null, or with what failed: a failed task would have to be observed by
    /// somebody.
    /// </summary>
    public Task<ExceptionDispatchInfo?> Confirmation { get; set; } = Confirmed;

    /// <summary>The last of the changes that depend on what Redis holds: their replies are taken in in the order of sending.</summary>
    public Task Operation { get; set; } = Task.CompletedTask;

    /// <summary>
    /// A change that is under way and may have to wait for a takeover, and is sent again behind that: another must not come in between. Null
    /// when there is none.
    /// </summary>
    public Task? ChangeToWaitFor
    {
        get => field is { IsCompleted: false } change ? change : null;
        set;
    }

    /// <summary>Done when the session has its new key, or keeps the old one: what would change it waits for that.</summary>
    public Task Move { get; set; } = Task.CompletedTask;

    /// <summary>What has to be over before something is sent that changes the session; null when it may go. Called inside the lock.</summary>
    public Task? WhatToWaitFor => State.IsMoving ? Move : ChangeToWaitFor ?? Lock?.Release;

    /// <summary>What is on its way to the list of the user.</summary>
    public Task Listing { get; set; } = Task.CompletedTask;

    /// <summary>The response waits for <see cref="Listing"/>.</summary>
    public bool IsListingWaitedFor { get; set; }

    /// <summary>
    /// False while a listing is under way that was sent with what the request waits for anyway, and that is the first for its user. Where
    /// Redis does not answer, nothing waits for it.
    /// </summary>
    public bool IsListed => !IsListingWaitedFor || Listing.IsCompleted || State.Failure is not null;

    /// <summary>The key was renewed in this request; null where it was not, and when that was undone.</summary>
    public PendingRenewal? Renewal { get; set; }

    /// <summary>A synchronous read has waited for Redis: it would not have, had the session been loaded before.</summary>
    public bool HasBlocked { get; set; }

    /// <summary>The lock of the session that this request holds; null while it does not.</summary>
    public HeldLock? Lock { get; set; }

    /// <summary>The response starts, or has started: no renewal begins any more.</summary>
    public bool IsResponseStarting { get; protected set; }

    // Counted for a hint in the log. Guarded by the state's lock, as all of this.
    public SequentialReads Reads;

    /// <summary>The pipeline has gone through the session for the last time, as far as it is known.</summary>
    protected bool IsOver { get; set; }

    /// <summary>The response has to set the cookie of a new session.</summary>
    protected bool IsEstablished { get; private set; }

    protected RequestHolder? Holder { get; private set; }

    /// <summary>The same as <see cref="Request"/>, and also when the pipeline is over, and its response may still have to start.</summary>
    protected HttpContext? Context => Holder?.Context;

    /// <summary>
    /// The request begins to use the session. <see cref="OnResponseStartingAsync"/> is called before its response starts: such callbacks
    /// run last to first, so this one comes after those of the application, which may change the session too.
    /// </summary>
    protected void Enter(RequestHolder holder)
    {
        Holder = holder;
        IsOver = false;
        if (holder.Context is { } request) WatchResponse(request);
    }

    protected bool IsOf(HttpContext request) => Holder?.Context == request;

    /// <summary>The request is over, and its context will serve another one.</summary>
    protected void Forget() => Holder = null;

    /// <summary>Has <see cref="OnResponseStartingAsync"/> called, unless it is to be called already, or the response has started.</summary>
    public void WatchResponse(HttpContext request)
    {
        if (_isWatchingResponse || request.Response.HasStarted) return;
        _isWatchingResponse = true;
        request.Response.OnStarting(static session => ((RequestSession)session).StartResponseAsync(), this);
    }

    /// <summary>The response is about to start: what was changed is confirmed, and the cookie that goes with it is set.</summary>
    protected abstract Task OnResponseStartingAsync();

    /// <summary>Sees to it that the response sets the session's cookie; false when it cannot any more.</summary>
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

    /// <summary>A start of the response that is under way is over.</summary>
    protected Task ResponseStartedAsync() => _start?.OverAsync() ?? Task.CompletedTask;

    private Task StartResponseAsync()
    {
        var request = Holder;
        var confirming = OnResponseStartingAsync();
        return confirming.IsCompleted ? confirming : (_start = new()).Of(confirming, request);
    }
}
