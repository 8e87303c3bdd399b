using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// The session of one request, called through <see cref="ISession"/> and the extension methods. What it knows is in
/// <see cref="SessionState"/>, what it does in the operations of <see cref="RedisHashSessionStore"/>, and how it follows the request in
/// <see cref="PipelineSession"/>.
/// </summary>
/// <remarks>
/// A synchronous read takes the first match: this request's own writes · the snapshot, which in buffered mode the first read takes · in
/// live mode, Redis. Tasks of one request may share the session.
/// </remarks>
/// <param name="operations">Its operations.</param>
/// <param name="origin">The pipeline that created it, for new sessions, which no key tells apart.</param>
/// <param name="state">What it knows.</param>
/// <param name="timeouts">The pipeline's timeouts.</param>
/// <param name="tryEstablish">Null if the session sets its cookie itself.</param>
internal sealed class RedisHashSession(
    RedisHashSessionStore operations, object origin, SessionState state, SessionTimeouts timeouts, Func<bool>? tryEstablish = null)
    : PipelineSession(operations, origin, state, timeouts, tryEstablish), ISession
{
    /// <summary>The session as one of ours.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    public static RedisHashSession Of(ISession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session as RedisHashSession ?? throw new InvalidOperationException(
            $"This requires a session of AddRedisHashSession, but the session is a {session.GetType()}: "
            + "call AddRedisHashSession on the service collection.");
    }

    /// <summary>
    /// Whether Redis answers; never throws. If nothing in this request has asked Redis yet, this does, as the first read would: in buffered
    /// mode by taking the snapshot, so that later reads cost nothing.
    /// </summary>
    public bool IsAvailable
    {
        get
        {
            var reader = Operations.Reader; // first: an earlier failure may be over
            if (!State.HasAnswered && State.Failure is null) reader.Touch(this);
            return State.Failure is null;
        }
    }

    public IEnumerable<string> Keys
    {
        get
        {
            // Copied before asking: the answer may lack what is confirmed meanwhile.
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
        var writer = Operations.Writer; // first: it may be refused
        lock (State.Gate)
        {
            State.Collect().Set(key, value.AsSpan().ToArray()); // a copy, as in ASP.NET Core: the caller may reuse its array
            writer.HasChanged(this);
        }
    }

    public void Remove(string key)
    {
        key = SessionHashLayout.Normalize(key);
        var writer = Operations.Writer;
        lock (State.Gate)
        {
            State.Collect().Remove(key);
            writer.HasChanged(this);
        }
    }

    public void Clear()
    {
        var writer = Operations.Writer;
        lock (State.Gate)
        {
            State.Collect().Clear();
            writer.HasChanged(this);
        }
    }

    /// <summary>Takes the snapshot, unless there is one: one round trip.</summary>
    public Task LoadAsync(CancellationToken cancellationToken = default) => SessionReader.SnapshotOf(this) is not null
        ? Task.CompletedTask
        : Operations.Reader.TakeSnapshotAsync(this, retry: false, keep: true, Within(cancellationToken));

    /// <summary>Takes a newer snapshot: one round trip.</summary>
    public Task ReloadAsync(CancellationToken cancellationToken) =>
        Operations.Reader.TakeSnapshotAsync(this, retry: true, keep: true, Within(cancellationToken));

    /// <summary>
    /// Writes and confirms what is still unconfirmed: one round trip, or none. If the request used nothing, refreshes its expiry, and
    /// nothing waits for that.
    /// </summary>
    /// <exception cref="SessionEndedException">The session has ended; nothing was written.</exception>
    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // SessionMiddleware would log a failure and go on, but it is logged already. What has failed is not retried: an outage costs a
        // request one failure. A commit that the application asks for does retry.
        if (RequestAtItsEnd is { } request)
        {
            await LeaveAsync(request).ConfigureAwait(false);
        }
        else
        {
            await Operations.Writer.RetryForCallerAsync(this, cancellationToken).ConfigureAwait(false);
            PassOnBody();
            Operations.Refresh.AtEnd(this);
        }
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
        Operations.Atomic.UpdateAsync(this, key, change, keepsExpiry: false, cancellationToken);

    public Task RenewKeyAsync(HttpContext request, string? user, CancellationToken cancellationToken) =>
        Operations.Renewal.RenewAsync(this, request, user, cancellationToken);

    public Task AbandonAsync(HttpContext request, CancellationToken cancellationToken) =>
        Operations.Ending.AbandonAsync(this, request, cancellationToken);

    public Task<SessionLock?> TryLockAsync(TimeSpan wait, CancellationToken cancellationToken) =>
        Operations.Exclusive.TryTakeAsync(this, wait, cancellationToken);

    private Waiting Within(CancellationToken cancellationToken) => Operations.Channel.Within(this, cancellationToken);
}
