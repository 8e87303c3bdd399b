using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The session of one request. This file: what it is made of, and the synchronous API of <see cref="ISession"/>.</summary>
/// <remarks>
/// <para>
/// A synchronous read answers, first match: from this request's own writes · from the snapshot, which in buffered mode the
/// first read takes · in live mode from Redis.
/// </para>
/// <para>
/// The other files beside this one: Reading asks Redis, Blocking does so on a thread that waits, Waiting bounds each wait and takes in its
/// failure; Writing has the changes until they are sent, Confirming from then on; Operating changes what depends on what Redis holds. What
/// has another reason to change is where that is: Lifecycle (a new key, the end), Directory (whose it is), TakingOver, Diagnostics.
/// </para>
/// <para>
/// Tasks of one request may share the session: state is guarded by one lock, and commands are sent inside it, so that they
/// leave in the order in which the application made its changes. Nobody waits for a reply inside the lock.
/// </para>
/// </remarks>
internal sealed partial class RedisHashSession : ISession
{
    private readonly RedisHashSessionStore _store;
    private readonly SessionTimeouts _timeouts;
    private readonly Func<bool> _tryEstablishSession;

    // The session key was made for this request: nobody else can know it.
    private readonly bool _isNewKey;

    // Renewal changes it.
    private string _sessionKey;

    // Made from the session key when somebody needs them: many requests never do.
    private string? _id;
    private byte[]? _redisKey;
    private ValueProtector? _protector;
    private Lock? _gate;

    // The request, so that writes can be confirmed before its response starts; null where there is none (any more).
    private HttpContext? _context;

    public RedisHashSession(
        RedisHashSessionStore store,
        string sessionKey,
        SessionTimeouts timeouts,
        Func<bool> tryEstablishSession,
        bool isNewSessionKey,
        HttpContext? context)
    {
        _store = store;
        _sessionKey = sessionKey;
        _timeouts = timeouts;
        _tryEstablishSession = tryEstablishSession;
        _isNewKey = isNewSessionKey;
        _context = context;
        if (context is not null) ConfirmBeforeResponse(context);
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

    /// <summary>base64url(SHA-256(session key)): public, stable for the life of the cookie, costs nothing.</summary>
    public string Id => _id ??= SessionId.Of(_sessionKey);

    /// <summary>
    /// Whether Redis answers; never throws. Where nothing in this request has asked it yet, this does, as the first read would:
    /// in buffered mode by taking the snapshot, so that the reads after it cost nothing.
    /// </summary>
    public bool IsAvailable
    {
        get
        {
            if (!_answered && _failure is null) TouchBlocking();
            return _failure is null;
        }
    }

    public IEnumerable<string> Keys
    {
        get
        {
            // As of before asking: of what is confirmed meanwhile, the answer need not have all yet.
            SessionChanges own;
            lock (Gate) own = CopyOwn();
            var snapshot = ReadAllBlocking();
            lock (Gate)
            {
                own.Append(CopyOwn());
                return own.Overlay(snapshot?.Keys ?? []).ToArray(); // a copy: the application may change the session while it enumerates
            }
        }
    }

    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value)
    {
        key = SessionHashLayout.Normalize(key);
        if (!TryGetOwn(key, out value)) value = ReadBlocking(key);
        return value is not null;
    }

    public void Set(string key, byte[] value)
    {
        key = CheckSet(key, value);
        lock (Gate)
        {
            Changes.Set(key, value.AsSpan().ToArray()); // a copy, as in ASP.NET Core: the caller may reuse its array
            HasChanged();
        }
    }

    public void Remove(string key)
    {
        key = SessionHashLayout.Normalize(key);
        lock (Gate)
        {
            Changes.Remove(key);
            HasChanged();
        }
    }

    public void Clear()
    {
        lock (Gate)
        {
            Changes.Clear();
            HasChanged();
        }
    }

    /// <summary>Takes the snapshot, unless there is one: one round trip.</summary>
    public Task LoadAsync(CancellationToken cancellationToken = default) =>
        _snapshot is null ? TakeSnapshotAsync(retry: false, cancellationToken) : Task.CompletedTask;

    /// <summary>
    /// Writes and confirms what is not yet: one round trip, or none. A request that used nothing has its expiry renewed, and
    /// nobody waits for that.
    /// </summary>
    /// <exception cref="SessionEndedException">The session has ended; nothing was written.</exception>
    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // SessionMiddleware takes the feature away before its own commit, the last one. It would log a failure and go on; but we
        // have logged it. What has failed before is not tried again: an outage costs a request one failure. A commit that the
        // application asks for does try again.
        if (_context is { } context && context.Features.Get<ISessionFeature>() is null)
        {
            SettleUser(context);
            _context = null; // the server will use it for another request
            await ConfirmAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            HintAtManyReads();
        }
        else
        {
            await TellingTheCaller(RetryAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        }

        RenewIfUntouched();
    }

    private byte[] KeyBytes => _redisKey ??= SessionHashLayout.KeyOf(_store.KeyStart, _sessionKey);

    private RedisKey Key => KeyBytes;

    private SessionExpiry Expiry => _timeouts.Expiry;

    private TimeSpan IOTimeout => _timeouts.IO;

    private Lock Gate => _gate ?? Interlocked.CompareExchange(ref _gate, new(), null) ?? _gate;

    /// <summary>Nothing has been done with the session yet.</summary>
    private bool IsUntouched => _gate is null;

    private ValueProtector? Protector => _protector ??= _store.ProtectsValues ? _store.ProtectorOf(Id) : null;

    /// <summary>Refuses, at the earliest moment, what ASP.NET Core's session refuses; returns the normal form of the key.</summary>
    private string CheckSet(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        SessionHashLayout.ThrowIfNotAKey(key);
        if (!_tryEstablishSession())
        {
            throw new InvalidOperationException("The session cannot be established after the response has started.");
        }

        return SessionHashLayout.Normalize(key);
    }
}
