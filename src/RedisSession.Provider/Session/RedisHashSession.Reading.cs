using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: asking Redis, with and without a snapshot, and what the answers say about the session.</summary>
internal sealed partial class RedisHashSession
{
    private SessionSight _sight;
    private SessionSnapshot? _snapshot;

    // Redis has answered this request; its expiry has been renewed by it.
    private bool _answered;
    private bool _renewed;

    private int _snapshotsOnTheirWay;

    /// <summary>One key, fresh from Redis in both modes, or from this request's own unconfirmed write.</summary>
    public async ValueTask<SessionValue> ReadAsync(string key, CancellationToken cancellationToken)
    {
        key = SessionHashLayout.Normalize(key);
        if (TryGetOwn(key, out var own)) return new(own);

        var hash = await OpenAsync(retry: false, cancellationToken).ConfigureAwait(false);
        if (IsKnownToBeEmpty(hash)) return default;
        Task<RedisValue[]> reply;
        var read = Begin(OperationKind.Read).Follow(Bounded(reply = Ask(hash, out var asked, key), cancellationToken));
        try
        {
            var values = await read.ConfigureAwait(false);
            return new(Saw(asked, values[0]) ? Reveal(values[1]) : null);
        }
        catch (Exception error) when (Failed(error, reply, "reading", RememberReadFailure, cancellationToken) is { } timeout)
        {
            throw timeout;
        }
    }

    /// <summary>Several keys, fresh from Redis in one HMGET; those this request has written and not confirmed from its writes.</summary>
    public async ValueTask<SessionValues> ReadAsync(IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var names = keys.ToArray();
        if (Array.Exists(names, name => name is null)) throw new ArgumentNullException(nameof(keys), "A session key cannot be null.");
        string[] normal = Array.ConvertAll(names, SessionHashLayout.Normalize);

        var read = new SessionValue[names.Length];
        var foreign = new List<int>(names.Length);
        for (int i = 0; i < names.Length; i++)
        {
            if (TryGetOwn(normal[i], out var own)) read[i] = new(own);
            else foreign.Add(i);
        }

        if (foreign.Count > 0)
        {
            var hash = await OpenAsync(retry: false, cancellationToken).ConfigureAwait(false);
            if (!IsKnownToBeEmpty(hash))
            {
                string[] asking = foreign.ConvertAll(i => normal[i]).ToArray();
                var reply = Begin(OperationKind.Read)
                    .Follow(ReplyAsync(Ask(hash, out var asked, asking), "reading", cancellationToken));
                var values = await reply.ConfigureAwait(false);
                if (Saw(asked, values[0]))
                {
                    for (int i = 0; i < foreign.Count; i++) read[foreign[i]] = new(Reveal(values[i + 1]));
                }
            }
        }

        return new(names, read);
    }

    /// <summary>Takes a newer snapshot.</summary>
    public Task ReloadAsync(CancellationToken cancellationToken) => TakeSnapshotAsync(retry: true, cancellationToken);

    private Task TakeSnapshotAsync(bool retry, CancellationToken cancellationToken)
    {
        var opening = OpenAsync(retry, cancellationToken);
        return opening.IsCompletedSuccessfully
            ? TakeSnapshotAsync(opening.Result, cancellationToken)
            : TakeSnapshotLaterAsync(opening.AsTask(), cancellationToken);
    }

    private async Task TakeSnapshotLaterAsync(Task<SessionHash> opening, CancellationToken cancellationToken) =>
        await TakeSnapshotAsync(await opening.ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    private Task TakeSnapshotAsync(SessionHash hash, CancellationToken cancellationToken)
    {
        if (IsKnownToBeEmpty(hash))
        {
            lock (Gate) _snapshot = SessionSnapshot.Empty();
            return Task.CompletedTask;
        }

        Task<HashEntry[]> reply;
        var load = Begin(OperationKind.Load)
            .Follow(Bounded(reply = OrTakenOver(AskForAll(hash, out var asked), asked, hash), cancellationToken));
        return TakeInAsync(load, reply, asked, cancellationToken);
    }

    private async Task TakeInAsync(
        Task<HashEntry[]> load, Task<HashEntry[]> reply, SessionSight asked, CancellationToken cancellationToken)
    {
        HashEntry[]? entries = null;
        try
        {
            entries = await load.ConfigureAwait(false);
        }
        catch (Exception error) when (Failed(error, reply, "loading", RememberReadFailure, cancellationToken) is { } timeout)
        {
            throw timeout;
        }
        finally
        {
            Arrived(asked, entries);
        }
    }

    /// <summary>The generation and the values of <paramref name="keys"/>, after a takeover where one is due.</summary>
    private Task<RedisValue[]> Ask(SessionHash hash, out SessionSight asked, params ReadOnlySpan<string> keys) =>
        OrTakenOver(AskFor(hash, out asked, keys), asked, hash, keys);

    private Task<RedisValue[]> AskFor(SessionHash hash, out SessionSight asked, params ReadOnlySpan<string> keys)
    {
        lock (Gate)
        {
            asked = _sight;
            RenewOnce(hash);
            return _reads.Sent(hash.ReadAsync(keys));
        }
    }

    private Task<HashEntry[]> AskForAll(SessionHash hash, out SessionSight asked)
    {
        lock (Gate)
        {
            asked = _sight;
            RenewOnce(hash);
            var reply = _reads.Sent(hash.ReadAllAsync());
            _snapshotsOnTheirWay++;
            return reply;
        }
    }

    /// <summary>
    /// True without asking when there cannot be anything: the session key was made for this very request and nothing has been
    /// sent under it, or the session is known to have ended. While the connection is down we ask all the same: "no session"
    /// and "no Redis" are different answers.
    /// </summary>
    private bool IsKnownToBeEmpty(SessionHash hash)
    {
        lock (Gate)
        {
            if (_sight.IsEnded) return true;
            return _isNewKey && !_renewed && hash.IsConnected;
        }
    }

    private void RenewOnce(SessionHash hash)
    {
        if (_renewed) return;
        _renewed = true;
        var renewal = hash.RenewAsync(Expiry, _store.Connection.IsGarnet);
        if (!renewal.IsCompletedSuccessfully) _ = LogFailureAsync(renewal);
        KeepListed(write: null);
    }

    private void RenewIfUntouched()
    {
        if (_renewed || _isNewKey || _failure is not null) return;
        _ = LogFailureAsync(RenewAsync());

        async Task RenewAsync()
        {
            var hash = new SessionHash(await _store.Connection.GetDatabaseAsync().ConfigureAwait(false), Key);
            if (MayBeLeft(_sight))
            {
                await RenewOrTakeOverAsync(hash).ConfigureAwait(false);
                return;
            }

            lock (Gate)
            {
                RenewOnce(hash);
                _listingIsWaitedFor = false;
            }
        }
    }

    /// <summary>Follows a renewal that nobody waits for.</summary>
    private async Task LogFailureAsync(Task renewal)
    {
        try
        {
            await renewal.ConfigureAwait(false);
        }
        catch (Exception error)
        {
            _store.Logger.RenewalFailed(Id, error);
            _store.Metrics.OperationFailed(OperationKind.RenewExpiry, error);
        }
    }

    /// <summary>Takes in what an answer says about the session; false when what came with it is not this session's.</summary>
    private bool Saw(SessionSight asked, RedisValue generation)
    {
        SessionSight sight;
        bool isFirstLook;
        lock (Gate)
        {
            isFirstLook = _sight.IsUnknown && !_answered;
            _answered = true;
            sight = _sight = _sight.After(asked, generation);
        }

        if (isFirstLook && sight.IsAbsent && !_isNewKey)
        {
            _store.Logger.AccessingExpiredSession(Id);
            _store.Metrics.SessionEnded(SessionEndReason.Expired);
        }

        return !sight.IsEnded && asked.Accepts(generation);
    }

    /// <summary>Takes in a snapshot, or that none came; null then.</summary>
    private SessionSnapshot? Arrived(SessionSight asked, HashEntry[]? entries, bool keep = true)
    {
        SessionSnapshot? snapshot = null;
        RedisValue generation = default;
        if (entries is not null) snapshot = SessionSnapshot.Parse(entries, Protector, out generation);
        if (snapshot is not null && !Saw(asked, generation)) snapshot = SessionSnapshot.Empty();

        lock (Gate)
        {
            if (snapshot is not null && keep)
            {
                // A copy: others may be on their way.
                if (_writes?.ConfirmedMeanwhile is { } writes) snapshot.Apply(SessionChanges.Merge(new(), writes));
                _snapshot = snapshot;
                _failure = null;
            }

            if (--_snapshotsOnTheirWay == 0 && _writes is not null) _writes.ConfirmedMeanwhile = null;
        }

        if (snapshot is not null && _store.Logger.IsEnabled(LogLevel.Debug)) _store.Logger.SessionLoaded(Id, snapshot.Count);
        return snapshot;
    }

    private byte[]? Reveal(RedisValue value) => Protector is { } protector ? protector.Unprotect(value) : value;
}
