using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace RedisSession.Provider;

/// <summary>
/// The session of one request: what <see cref="ISession"/> and the extension methods call. What it knows is in <see cref="SessionState"/>,
/// what it does in the operations of <see cref="RedisHashSessionStore"/>.
/// </summary>
/// <remarks>
/// A synchronous read answers, first match: from this request's own writes · from the snapshot, which in buffered mode the first read takes
/// · in live mode from Redis. Tasks of one request may share the session.
/// </remarks>
/// <param name="operations">What it does.</param>
/// <param name="origin">Which pipeline has made it, for new sessions, which no key tells apart.</param>
/// <param name="state">What it knows.</param>
/// <param name="timeouts">Of that pipeline.</param>
/// <param name="tryEstablish">Null where this sets its cookie itself.</param>
[SuppressMessage("Design", "CA1001", Justification = "What stands in front of the response's body owns nothing.")]
internal sealed class RedisHashSession(
    RedisHashSessionStore operations, object origin, SessionState state, SessionTimeouts timeouts, Func<bool>? tryEstablish = null)
    : RequestSession(state, timeouts, tryEstablish), ISession, ISessionFeature
{
    private ISession? _current;
    private RedisHashSession? _earlier;
    private int _passes;
    private bool _isFeature;
    private bool _isSeen;
    private bool _isPutAside;
    private ConfirmedBody? _body;

    /// <summary>The session as one of ours.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    public static RedisHashSession Of(ISession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session as RedisHashSession ?? throw new InvalidOperationException(
            $"This needs a session of AddRedisHashSession, but the session is a {session.GetType()}: "
            + "call AddRedisHashSession on the service collection.");
    }

    /// <summary>
    /// The session that a request through the same pipeline has had before, or has: an exception handler, status code pages and the like
    /// send a request through its pipeline again, with the cookie that it came with, whatever has become of the session.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="sessionKey">What its cookie names; null where it has none.</param>
    /// <param name="origin">Where it comes through.</param>
    public static RedisHashSession? OfEarlierPass(HttpContext request, string? sessionKey, object origin)
    {
        // Features are copied where a request is made from another: see whose they are.
        var session = request.Features.Get<RedisHashSession>();
        while (session is not null && !(session.IsOf(request) && session._isSeen && session.IsNamedBy(sessionKey, origin)))
            session = session._earlier;
        return session;
    }

    /// <summary>
    /// The session of the request's <see cref="ISessionFeature"/>, which it is itself where it has its own middleware. Null when the
    /// application has put the session aside.
    /// </summary>
    ISession ISessionFeature.Session
    {
        get => _current!;
        set => _current = value;
    }

    /// <summary>
    /// Whether Redis answers; never throws. Where nothing in this request has asked it yet, this does, as the first read would:
    /// in buffered mode by taking the snapshot, so that the reads after it cost nothing.
    /// </summary>
    public bool IsAvailable
    {
        get
        {
            if (!State.HasAnswered && State.Failure is null) Operations.Reader.Touch(this);
            return State.Failure is null;
        }
    }

    public IEnumerable<string> Keys
    {
        get
        {
            // As of before asking: of what is confirmed meanwhile, the answer need not have all yet.
            SessionChanges own;
            lock (State.Gate) own = State.CopyOwn();
            var snapshot = Operations.Reader.ReadAll(this);
            lock (State.Gate)
            {
                own.Append(State.CopyOwn());
                return own.Overlay(snapshot?.Keys ?? []).ToArray(); // a copy: the application may change the session while it enumerates
            }
        }
    }

    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value)
    {
        key = SessionHashLayout.Normalize(key);
        if (!State.TryGetOwn(key, out value)) value = Operations.Reader.Read(this, key);
        return value is not null;
    }

    public void Set(string key, byte[] value)
    {
        key = CheckSet(key, value);
        lock (State.Gate)
        {
            State.Collect().Set(key, value.AsSpan().ToArray()); // a copy, as in ASP.NET Core: the caller may reuse its array
            Operations.Writer.HasChanged(this);
        }
    }

    public void Remove(string key)
    {
        key = SessionHashLayout.Normalize(key);
        lock (State.Gate)
        {
            State.Collect().Remove(key);
            Operations.Writer.HasChanged(this);
        }
    }

    public void Clear()
    {
        lock (State.Gate)
        {
            State.Collect().Clear();
            Operations.Writer.HasChanged(this);
        }
    }

    /// <summary>Takes the snapshot, unless there is one: one round trip.</summary>
    public Task LoadAsync(CancellationToken cancellationToken = default) => State.Snapshot is not null
        ? Task.CompletedTask
        : Operations.Reader.TakeSnapshotAsync(this, retry: false, keep: true, Within(cancellationToken));

    /// <summary>Takes a newer snapshot: one round trip.</summary>
    public Task ReloadAsync(CancellationToken cancellationToken) =>
        Operations.Reader.TakeSnapshotAsync(this, retry: true, keep: true, Within(cancellationToken));

    /// <summary>
    /// Writes and confirms what is not yet: one round trip, or none. A request that used nothing has its expiry refreshed, and nobody waits
    /// for that.
    /// </summary>
    /// <exception cref="SessionEndedException">The session has ended; nothing was written.</exception>
    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // The last commit of SessionMiddleware, which takes its feature away before. It would log a failure and go on; but we have logged
        // it. What has failed before is not tried again: an outage costs a request one failure. A commit that the application asks for does
        // try again.
        if (_passes > 0 && _isSeen && Context is { } request && request.Features.Get<ISessionFeature>() is null)
        {
            await LeaveAsync(request).ConfigureAwait(false);
        }
        else
        {
            await Operations.Writer.RetryForCallerAsync(this, cancellationToken).ConfigureAwait(false);
            operations.Refresh.AtEnd(this);
        }
    }

    /// <summary>A request begins to go through a pipeline with this session.</summary>
    /// <param name="request">The request.</param>
    /// <param name="isItsFeature">The pipeline makes this its <see cref="ISessionFeature"/>.</param>
    public void Enter(RequestHolder request, bool isItsFeature)
    {
        Enter(request);
        _passes++;
        _isPutAside = false;
        HasBlocked = false;
        _isSeen |= isItsFeature;
        _isFeature = isItsFeature;
        _current = this;
        if (operations.Channel.Throws
            && _body is null
            && request.Context is { Response.HasStarted: false, Features: var features }
            && features.Get<IHttpResponseBodyFeature>() is { } body)
        {
            _body = new(request, ConfirmForBodyAsync, body);
            features.Set<IHttpResponseBodyFeature>(_body);
        }
    }

    /// <summary>It is to be found by <see cref="OfEarlierPass"/>.</summary>
    public void Remember(IFeatureCollection features)
    {
        _earlier = features.Get<RedisHashSession>();
        features.Set(this);
    }

    /// <summary>
    /// The request has gone through the pipeline: what is not confirmed yet is. What fails is logged, and not tried again: an outage costs
    /// a request one failure.
    /// </summary>
    public async Task LeaveAsync(HttpContext request)
    {
        if (--_passes > 0) return;
        if (_isFeature && _current != this)
        {
            await PutAsideAsync().ConfigureAwait(false);
            return;
        }

        operations.Listing.Settle(this, request);
        IsOver = true;
        var last = Lock is null ? operations.Writer.ConfirmAsync(this, CancellationToken.None) : operations.Exclusive.ReleaseAsync(this);
        await last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        operations.HintAtManyReads(this);
        operations.Refresh.AtEnd(this);
        if (_body is not null) await _body.LeaveAsync(request.Features).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _body = null;
        await ResponseStartedAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (request.Response.HasStarted) Forget();
    }

    public ValueTask<SessionValue> ReadAsync(string key, CancellationToken cancellationToken) =>
        Operations.Reader.ReadAsync(this, SessionHashLayout.Normalize(key), Within(cancellationToken));

    public ValueTask<SessionValues> ReadAsync(IEnumerable<string> keys, CancellationToken cancellationToken) =>
        Operations.Reader.ReadAsync(this, keys, Within(cancellationToken));

    public Task SetAsync(IEnumerable<KeyValuePair<string, byte[]>> values, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(values);
        var changes = new SessionChanges();
        foreach (var (key, value) in values) changes.Set(CheckSet(key, value), value.AsSpan().ToArray());
        return Operations.Writer.WriteAsync(this, changes, cancellationToken);
    }

    public Task SetAsync(string key, byte[] value, CancellationToken cancellationToken)
    {
        var changes = new SessionChanges();
        changes.Set(CheckSet(key, value), value.AsSpan().ToArray());
        return Operations.Writer.WriteAsync(this, changes, cancellationToken);
    }

    public Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        var changes = new SessionChanges();
        changes.Remove(SessionHashLayout.Normalize(key));
        return Operations.Writer.WriteAsync(this, changes, cancellationToken);
    }

    public Task SetAsync(string key, byte[] value, TimeSpan expiresIn, CancellationToken cancellationToken) =>
        Operations.Atomic.SetAsync(this, key, value, expiresIn, cancellationToken);

    public Task<SessionValue> TakeAsync(string key, CancellationToken cancellationToken) =>
        Operations.Atomic.TakeAsync(this, key, cancellationToken);

    public Task<bool> TrySetAsync(string key, byte[] value, CancellationToken cancellationToken) =>
        Operations.Atomic.TrySetAsync(this, key, value, cancellationToken);

    public Task<long> IncrementAsync(string key, long by, CancellationToken cancellationToken) =>
        Operations.Atomic.IncrementAsync(this, key, by, cancellationToken);

    public Task<T> UpdateAsync<T>(
        string key, Func<SessionValue, (byte[] Value, T Result)> change, CancellationToken cancellationToken) =>
        Operations.Atomic.UpdateAsync(this, key, change, cancellationToken);

    public Task RenewKeyAsync(HttpContext request, string? user, CancellationToken cancellationToken) =>
        Operations.Renewal.RenewAsync(this, request, user, cancellationToken);

    public Task AbandonAsync(HttpContext request, CancellationToken cancellationToken) =>
        Operations.Ending.AbandonAsync(this, request, cancellationToken);

    public Task<SessionLock?> TryLockAsync(TimeSpan wait, CancellationToken cancellationToken) =>
        Operations.Exclusive.TryTakeAsync(this, wait, cancellationToken);

    protected override Task OnResponseStartingAsync()
    {
        // Whoever begins to renew the key sees this, or is seen here.
        IsResponseStarting = true;
        Interlocked.MemoryBarrier();
        if (IsPutAside) return Task.CompletedTask;
        if (IsEstablished && !State.HasEnded) Cookie!.Set(Context!, State.Identity.SessionKey);
        if (IsOver) Forget();
        var move = Move;
        var confirming = Lock is { EndsWithResponse: true } ? UnlockAsync() : operations.Writer.ConfirmBeforeResponseAsync(this);
        return Renewal is null && move.IsCompleted ? confirming : FinishRenewalAsync();

        async Task UnlockAsync()
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

        async Task FinishRenewalAsync()
        {
            await confirming.ConfigureAwait(false);
            await move.WaitAsync(Timeouts.IO).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await operations.Renewal.FinishAsync(this).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// With <see cref="FailureMode.Throw"/>: what the request changed was not written, and it can still get an error page.
    /// </summary>
    public void ThrowWhatNobodyWasTold(HttpContext request)
    {
        if (!operations.Channel.Throws || State.FailureIsTold || request.Response.HasStarted) return;
        if (State.Pending?.Failure is not { } failure) return;
        State.FailureIsTold = true;
        failure.Throw();
    }

    private async Task ConfirmForBodyAsync()
    {
        if (IsPutAside) return;
        try
        {
            await operations.Writer.ConfirmBeforeResponseAsync(this).ConfigureAwait(false);
        }
        catch (Exception)
        {
            State.FailureIsTold = true;
            throw;
        }
    }

    /// <summary>The application has set another session, or none: that one is committed, as SessionMiddleware does it.</summary>
    private async Task PutAsideAsync()
    {
        _isPutAside = IsOver = true;
        try
        {
            if (_current is not null) await _current.CommitAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            operations.Channel.Logger.CommitFailed(error);
        }
    }

    private RedisHashSessionStore Operations
    {
        get
        {
            _isSeen = _isSeen || (Request is { } request && request.Features.Get<ISessionFeature>()?.Session == this);
            return operations;
        }
    }

    /// <summary>
    /// True when the application has made another session that of the request, or none: nothing of this one is written, unless somebody
    /// commits it.
    /// </summary>
    private bool IsPutAside =>
        _isPutAside
        || (_isFeature ? _current != this : _isSeen && Request is { } request && request.Features.Get<ISessionFeature>()?.Session != this);

    private bool IsNamedBy(string? sessionKey, object pipeline) =>
        sessionKey is null ? Given.IsNew && origin.Equals(pipeline) : !Given.IsNew && Given.SessionKey == sessionKey;

    private Waiting Within(CancellationToken cancellationToken) => operations.Channel.Within(this, cancellationToken);
}
