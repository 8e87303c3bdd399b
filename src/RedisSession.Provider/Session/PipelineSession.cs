using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace RedisSession.Provider;

/// <summary>
/// Follows a session's request: through its pipeline, a second time behind an exception handler, to the start of the response, which waits
/// for the changes, and to the end; or no further, if the application sets the session aside.
/// </summary>
/// <param name="operations">Its operations.</param>
/// <param name="origin">The pipeline that created it, for new sessions, which no key tells apart.</param>
/// <param name="state">What it knows.</param>
/// <param name="timeouts">The pipeline's timeouts.</param>
/// <param name="tryEstablish">Null if the session sets its cookie itself.</param>
[SuppressMessage("Design", "CA1001", Justification = "What stands in front of the response's body owns nothing.")]
internal abstract class PipelineSession(
    RedisHashSessionStore operations, object origin, SessionState state, SessionTimeouts timeouts, Func<bool>? tryEstablish)
    : RequestSession(state, timeouts, tryEstablish), ISessionFeature
{
    private object? _current; // an ISession
    private ISessionFeature? _feature; // where the request has found this session
    private PipelineSession? _earlier;
    private int _passes;
    private bool _isCalled;
    private bool _isDecorated;
    private bool _mayRunUnlocked;
    private ConfirmedBody? _body;

    /// <summary>
    /// The session in the request's <see cref="ISessionFeature"/>, which is this object itself under its own middleware. Null when the
    /// application has set the session aside.
    /// </summary>
    ISession ISessionFeature.Session
    {
        get => (ISession)_current!;
        set => _current = value;
    }

    /// <summary>
    /// For calls from the application: they show where the request has found this session, and that one that was set aside is used all the
    /// same, behind a decorator. A failure that is over is forgotten first.
    /// </summary>
    protected RedisHashSessionStore Operations
    {
        get
        {
            if (_mayRunUnlocked) ThrowIfUnlocked();
            if (State.Failure is not null) operations.Channel.ForgetPastFailure(this);
            if (_feature?.Session == this) return operations;
            _isCalled = true;
            if (Request?.Features.Get<ISessionFeature>() is { } feature && feature.Session == this) _feature = feature;
            else _isDecorated = _feature is not null;
            return operations;
        }
    }

    /// <summary>
    /// The request, while SessionMiddleware makes its last commit, before which it removes its feature; null at all other times, and for a
    /// session that the application has made itself.
    /// </summary>
    protected HttpContext? RequestAtItsEnd =>
        _passes > 0 && (_feature is not null || !_isCalled) && Context is { } request && request.Features.Get<ISessionFeature>() is null
            ? request : null;

    /// <summary>
    /// The session that an earlier pass of the request through the same pipeline had, or has. Exception handlers, status code pages and the
    /// like send a request through its pipeline again with its original cookie, whatever has become of the session.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="sessionKey">The key in its cookie; null if it has none.</param>
    /// <param name="origin">The pipeline it comes through.</param>
    public static PipelineSession? OfEarlierPass(HttpContext request, string? sessionKey, object origin)
    {
        // A request made from another gets a copy of its features: check whose they are.
        var session = request.Features.Get<PipelineSession>();
        while (session is not null && !(session.IsOf(request) && session._feature is not null && session.IsNamedBy(sessionKey, origin)))
            session = session._earlier;
        return session;
    }

    /// <summary>A request enters a pipeline with this session.</summary>
    /// <param name="request">The request.</param>
    /// <param name="timeouts">The pipeline's.</param>
    /// <param name="isItsFeature">The pipeline makes this its <see cref="ISessionFeature"/>.</param>
    public void Enter(RequestHolder request, SessionTimeouts timeouts, bool isItsFeature)
    {
        Enter(request, timeouts);
        _passes++;
        (_isDecorated, HasBlocked, HasReadLate) = (false, false, false);
        _mayRunUnlocked = request.Context?.GetEndpoint() is null; // if there is one, it has been asked
        _current = this;
        if (isItsFeature) _feature = this;
        if (operations.Channel.Throws
            && _body is null
            && request.Context is { Response.HasStarted: false, Features: var features }
            && features.Get<IHttpResponseBodyFeature>() is { } body)
        {
            _body = new(request, State, ConfirmForBodyAsync, body);
            features.Set<IHttpResponseBodyFeature>(_body);
        }
    }

    /// <summary>Lets <see cref="OfEarlierPass"/> find this session.</summary>
    public void Remember(IFeatureCollection features)
    {
        _earlier = features.Get<PipelineSession>();
        features.Set<PipelineSession>(this);
    }

    /// <summary>
    /// The request has gone through the pipeline: confirms what is still unconfirmed. A failure is logged and not retried: an outage costs
    /// a request one failure.
    /// </summary>
    public async Task LeaveAsync(HttpContext request)
    {
        bool isLast = --_passes == 0; // first, so that what a decorator passes on does not end the request again
        if (_current != this && _current is ISession other) await CommitAsync(other).ConfigureAwait(false);
        if (!isLast)
        {
            _current = this; // the pipeline around this one has its own
            return;
        }

        bool isInUse = !IsSetAside;
        if (isInUse) operations.Listing.Settle(this, request);
        IsOver = true;
        if (isInUse)
        {
            var last = Lock is null ? operations.Writer.ConfirmAsync(this, CancellationToken.None) : operations.Exclusive.ReleaseAsync(this);
            await last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            operations.HintAtManyReads(this);
            operations.Refresh.AtEnd(this);
        }

        if (!isInUse || State.AreChangesConfirmed) PassOnBody();

        if (_body is not null) await _body.LeaveAsync(request.Features).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _body = null;
        await ResponseStartedAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (request.Response.HasStarted) Forget();
    }

    /// <summary>The changes are confirmed, so that what the response says of them is true; or they are nobody's any more.</summary>
    protected void PassOnBody() => _body?.PassOn();

    protected override Task OnResponseStartingAsync()
    {
        // A renewal that begins now sees this, or is seen here.
        IsResponseStarting = true;
        Interlocked.MemoryBarrier();
        if (IsEstablished && !State.HasEnded) Cookie!.Set(Context!, State.Identity.SessionKey); // whichever session the request has now
        if (Context is { } request) IsTold(request);
        if (IsSetAside)
        {
            PassOnBody(); // SessionMiddleware does not commit what was set aside
            return Task.CompletedTask;
        }

        if (IsOver) Forget();
        var move = Move;
        var confirming = Lock is { EndsWithResponse: true } ? UnlockAsync() : operations.Writer.ConfirmBeforeResponseAsync(this);
        return Renewal is null && move.IsCompleted ? confirming : FinishRenewalAsync(confirming, move);
    }

    /// <summary>
    /// With <see cref="FailureMode.Throw"/>: throws if changes were not written and the request can still get an error page.
    /// </summary>
    public void ThrowWhatNobodyWasTold(HttpContext request)
    {
        if (!operations.Channel.Throws || request.Response.HasStarted || IsTold(request)) return;
        if (State.Pending?.Failure is not { } failure) return;
        State.Notice = FailureNotice.Given;
        failure.Throw();
    }

    /// <summary>Whether the application knows of a failed write. If its response was a success when that was thrown, and is none now, it does.</summary>
    private bool IsTold(HttpContext request)
    {
        bool isSuccess = request.Response.StatusCode < StatusCodes.Status300MultipleChoices;
        if (State.Notice == FailureNotice.IntoBody && !isSuccess) State.Notice = FailureNotice.Given;
        return State.Notice == FailureNotice.Given;
    }

    /// <summary>An endpoint that was selected after the session's middleware asks for the lock in vain: before it does anything.</summary>
    private void ThrowIfUnlocked()
    {
        if (Request?.GetEndpoint() is not { } endpoint) return;
        _mayRunUnlocked = false;
        if (ExclusiveEndpoints.Of(endpoint) is not null && Lock is null) throw ExclusiveEndpoints.NotHeard(endpoint);
    }

    private async Task UnlockAsync()
    {
        try
        {
            await operations.Exclusive.ReleaseAsync(this).ConfigureAwait(false);
        }
        catch (Exception) when (!operations.Channel.Throws)
        {
            // Logged where it happened.
        }

        await operations.Writer.ConfirmBeforeResponseAsync(this).ConfigureAwait(false);
    }

    private async Task FinishRenewalAsync(Task confirming, Task move)
    {
        await confirming.ConfigureAwait(false);
        await move.WaitAsync(Timeouts.IO).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await operations.Renewal.FinishAsync(this).ConfigureAwait(false);
    }

    private async Task ConfirmForBodyAsync()
    {
        if (IsSetAside) return;
        if (State.Notice == FailureNotice.IntoBody) State.Notice = FailureNotice.Given; // who writes on has caught it
        try
        {
            await operations.Writer.ConfirmBeforeResponseAsync(this).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            if (State.Notice == FailureNotice.None) State.Notice = FailureNotice.IntoBody;

            // To whoever writes a body, a cancellation means that the visitor has left: many ignore it.
            if (error is OperationCanceledException { InnerException: TimeoutException timeout }) throw new TimeoutException(timeout.Message, error);
            throw;
        }
    }

    /// <summary>Another session that the application has given the request is committed at its end, as SessionMiddleware does.</summary>
    private async Task CommitAsync(ISession other)
    {
        try
        {
            await other.CommitAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            operations.Channel.Logger.CommitFailed(error);
        }
    }

    /// <summary>
    /// True if the application has given the request another session, or none, and uses this one no more: it is not written unless somebody
    /// commits it.
    /// </summary>
    private bool IsSetAside => !_isDecorated && _feature is { } feature && feature.Session != this;

    private bool IsNamedBy(string? sessionKey, object pipeline) =>
        sessionKey is null ? Given.IsNew && origin.Equals(pipeline) : !Given.IsNew && Given.SessionKey == sessionKey;
}
