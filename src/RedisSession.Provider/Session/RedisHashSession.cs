using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace RedisSession.Provider;

/// <summary>
/// The session of one request: what <see cref="ISession"/> and the extension methods call. What it knows is in <see cref="SessionState"/>,
/// what it does in the operations of <see cref="RedisHashSessionStore"/>.
/// </summary>
/// <remarks>
/// A synchronous read answers, first match: from this request's own writes · from the snapshot, which in buffered mode the first read takes ·
/// in live mode from Redis. Tasks of one request may share the session.
/// </remarks>
internal sealed class RedisHashSession : RequestSession, ISession
{
    private readonly RedisHashSessionStore _store;

    public RedisHashSession(
        RedisHashSessionStore store, SessionState state, SessionTimeouts timeouts, Func<bool> tryEstablish, HttpContext? request)
        : base(state, timeouts, tryEstablish, request)
    {
        _store = store;
        if (request is not null) WatchResponse(request);
    }

    /// <summary>The session as one of ours.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    public static RedisHashSession Of(ISession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session as RedisHashSession ?? throw new InvalidOperationException(
            $"This needs a session of AddRedisHashSession, and this one is a {session.GetType()}: "
            + "call AddRedisHashSession on the service collection.");
    }

    /// <summary>
    /// Whether Redis answers; never throws. Where nothing in this request has asked it yet, this does, as the first read would:
    /// in buffered mode by taking the snapshot, so that the reads after it cost nothing.
    /// </summary>
    public bool IsAvailable
    {
        get
        {
            if (!State.HasAnswered && State.Failure is null) _store.Reader.Touch(this);
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
            var snapshot = _store.Reader.ReadAll(this);
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
        if (!State.TryGetOwn(key, out value)) value = _store.Reader.Read(this, key);
        return value is not null;
    }

    public void Set(string key, byte[] value)
    {
        key = CheckSet(key, value);
        lock (State.Gate)
        {
            State.Collect().Set(key, value.AsSpan().ToArray()); // a copy, as in ASP.NET Core: the caller may reuse its array
            _store.Writer.HasChanged(this);
        }
    }

    public void Remove(string key)
    {
        key = SessionHashLayout.Normalize(key);
        lock (State.Gate)
        {
            State.Collect().Remove(key);
            _store.Writer.HasChanged(this);
        }
    }

    public void Clear()
    {
        lock (State.Gate)
        {
            State.Collect().Clear();
            _store.Writer.HasChanged(this);
        }
    }

    /// <summary>Takes the snapshot, unless there is one: one round trip.</summary>
    public Task LoadAsync(CancellationToken cancellationToken = default) => State.Snapshot is not null
        ? Task.CompletedTask
        : _store.Reader.TakeSnapshotAsync(this, retry: false, keep: true, Within(cancellationToken));

    /// <summary>Takes a newer snapshot: one round trip.</summary>
    public Task ReloadAsync(CancellationToken cancellationToken) =>
        _store.Reader.TakeSnapshotAsync(this, retry: true, keep: true, Within(cancellationToken));

    /// <summary>
    /// Writes and confirms what is not yet: one round trip, or none. A request that used nothing has its expiry refreshed, and nobody waits
    /// for that.
    /// </summary>
    /// <exception cref="SessionEndedException">The session has ended; nothing was written.</exception>
    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // SessionMiddleware takes the feature away before its own commit, the last one. It would log a failure and go on; but we
        // have logged it. What has failed before is not tried again: an outage costs a request one failure. A commit that the
        // application asks for does try again.
        if (Request is { } request && request.Features.Get<ISessionFeature>() is null)
        {
            _store.Listing.Settle(this, request);
            Request = null; // the server will use it for another request
            await _store.Writer.ConfirmAsync(this, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _store.HintAtManyReads(this);
        }
        else
        {
            await _store.Writer.RetryForCallerAsync(this, cancellationToken).ConfigureAwait(false);
        }

        _store.Refresh.AtEnd(this);
    }

    public ValueTask<SessionValue> ReadAsync(string key, CancellationToken cancellationToken) =>
        _store.Reader.ReadAsync(this, SessionHashLayout.Normalize(key), Within(cancellationToken));

    public ValueTask<SessionValues> ReadAsync(IEnumerable<string> keys, CancellationToken cancellationToken) =>
        _store.Reader.ReadAsync(this, keys, Within(cancellationToken));

    public Task SetAsync(IEnumerable<KeyValuePair<string, byte[]>> values, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(values);
        var changes = new SessionChanges();
        foreach (var (key, value) in values) changes.Set(CheckSet(key, value), value.AsSpan().ToArray());
        return _store.Writer.WriteAsync(this, changes, cancellationToken);
    }

    public Task SetAsync(string key, byte[] value, CancellationToken cancellationToken)
    {
        var changes = new SessionChanges();
        changes.Set(CheckSet(key, value), value.AsSpan().ToArray());
        return _store.Writer.WriteAsync(this, changes, cancellationToken);
    }

    public Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        var changes = new SessionChanges();
        changes.Remove(SessionHashLayout.Normalize(key));
        return _store.Writer.WriteAsync(this, changes, cancellationToken);
    }

    public Task SetAsync(string key, byte[] value, TimeSpan expiresIn, CancellationToken cancellationToken) =>
        _store.Atomic.SetAsync(this, key, value, expiresIn, cancellationToken);

    public Task<SessionValue> TakeAsync(string key, CancellationToken cancellationToken) =>
        _store.Atomic.TakeAsync(this, key, cancellationToken);

    public Task<bool> TrySetAsync(string key, byte[] value, CancellationToken cancellationToken) =>
        _store.Atomic.TrySetAsync(this, key, value, cancellationToken);

    public Task<long> IncrementAsync(string key, long by, CancellationToken cancellationToken) =>
        _store.Atomic.IncrementAsync(this, key, by, cancellationToken);

    public Task<T> UpdateAsync<T>(
        string key, Func<SessionValue, (byte[] Value, T Result)> change, CancellationToken cancellationToken) =>
        _store.Atomic.UpdateAsync(this, key, change, cancellationToken);

    public Task RenewKeyAsync(HttpContext request, string? user, CancellationToken cancellationToken) =>
        _store.Renewal.RenewAsync(this, request, user, cancellationToken);

    public Task AbandonAsync(HttpContext request, CancellationToken cancellationToken) =>
        _store.Ending.AbandonAsync(this, request, cancellationToken);

    protected override Task OnResponseStartingAsync()
    {
        var confirming = _store.Writer.ConfirmBeforeResponseAsync(this);
        return Renewal is null ? confirming : FinishRenewalAsync();

        async Task FinishRenewalAsync()
        {
            await confirming.ConfigureAwait(false);
            await _store.Renewal.FinishAsync(this).ConfigureAwait(false);
        }
    }

    private Waiting Within(CancellationToken cancellationToken) => _store.Channel.Within(this, cancellationToken);
}
