using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: changes, from the moment the application makes them until Redis has confirmed them.</summary>
/// <remarks>
/// A change is first collected, then sent, then confirmed. Buffered mode collects until something asks for confirmation: the
/// start of the response, a commit, or an asynchronous write, which takes along what was collected before it, so that the
/// order stays. Live mode sends each change at once. Either way what is sent is one script, and the confirmations of several
/// are awaited in the order of their sending.
/// </remarks>
internal sealed partial class RedisHashSession
{
    // A WAIT holds up whatever else shares the connection, so it must not be long.
    private static readonly TimeSpan ReplicationTimeout = TimeSpan.FromSeconds(1);

    private SessionChanges _collected = new();
    private SessionChanges _sent = new();
    private int _inFlight;

    // Done when everything sent is confirmed; failed when something was not.
    private Task _confirmation = Task.CompletedTask;

    // The application has been told of that failure by an exception of a call it made: no need to break its response too.
    private bool _failureIsTold;
    private bool _confirmsBeforeResponse;
    private Exception? _loggedWriteFailure;
    private string? _newGeneration;

    /// <summary>Sets keys and waits for Redis to confirm.</summary>
    public Task SetAsync(IEnumerable<KeyValuePair<string, byte[]>> values, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(values);
        var changes = new SessionChanges();
        foreach (var (key, value) in values)
        {
            CheckSet(key, value);
            changes.Set(key, value.AsSpan().ToArray());
        }

        return WriteAsync(changes, cancellationToken);
    }

    /// <summary>Sets one key and waits for Redis to confirm.</summary>
    public Task SetAsync(string key, byte[] value, CancellationToken cancellationToken)
    {
        CheckSet(key, value);
        var changes = new SessionChanges();
        changes.Set(key, value.AsSpan().ToArray());
        return WriteAsync(changes, cancellationToken);
    }

    /// <summary>Removes one key and waits for Redis to confirm.</summary>
    public Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        var changes = new SessionChanges();
        changes.Remove(key);
        return WriteAsync(changes, cancellationToken);
    }

    private Task WriteAsync(SessionChanges changes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfFailed();
        if (changes.IsEmpty) return Task.CompletedTask;
        lock (_gate)
        {
            _collected.Append(changes);
            _failureIsTold = false;
        }

        return TellingTheCaller(ConfirmAsync(cancellationToken));
    }

    /// <summary>A change through the synchronous API: collected, in live mode also sent, and confirmed before the response starts.</summary>
    private void Change(Action<SessionChanges> change)
    {
        lock (_gate)
        {
            change(_collected);
            _failureIsTold = false;
            ConfirmBeforeResponse();
            if (_store.Mode == RedisSessionMode.Live) SendAtOnce();
        }
    }

    /// <summary>
    /// ASP.NET Core commits when the response is out, and swallows the error. Here the next request, on whichever server, sees
    /// what this one wrote, because no response starts before Redis has it.
    /// </summary>
    private void ConfirmBeforeResponse()
    {
        if (_confirmsBeforeResponse || _context is not { Response: { HasStarted: false } response }) return;
        _confirmsBeforeResponse = true;
        response.OnStarting(static session => ((RedisHashSession)session).OnResponseStartingAsync(), this);
    }

    private async Task OnResponseStartingAsync()
    {
        try
        {
            await ConfirmAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception) when (_store.FailureMode == FailureMode.LogAndContinue || _failureIsTold)
        {
            // Logged where it happened.
        }
    }

    private void SendAtOnce()
    {
        // What cannot go now (not connected yet, or failed before) goes, or fails, with the confirmation.
        if (_failure is not null || _sight.IsEnded || _confirmation.IsFaulted) return;
        var database = _store.Connection.GetDatabaseAsync();
        if (database.IsCompletedSuccessfully) Send(new(database.Result, _key));
        else _ = database.AsTask().ContinueWith(static task => _ = task.Exception, TaskScheduler.Default);
    }

    /// <summary>Sends what is collected, if anything, and waits until all is confirmed. Does not repeat what has failed.</summary>
    private async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        Task confirmation;
        lock (_gate)
        {
            if (_sight.IsEnded && !_collected.IsEmpty) Refuse();
            confirmation = _confirmation;
            if (_collected.IsEmpty && confirmation.IsCompletedSuccessfully) return;
        }

        if (!confirmation.IsFaulted)
        {
            try
            {
                var hash = await OpenAsync(retry: false, cancellationToken).ConfigureAwait(false);
                lock (_gate)
                {
                    if (!_collected.IsEmpty) Send(hash);
                    confirmation = _confirmation;
                }
            }
            catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                lock (_gate) FailConfirmation(error);
                throw;
            }
        }

        await BoundedAsync(confirmation, "committing", RememberWriteFailure, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="ConfirmAsync"/>, and what has failed is sent again: every change may be applied twice.</summary>
    private Task RetryAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_confirmation.IsFaulted && _inFlight == 0 && !_sight.IsEnded)
            {
                _sent.Append(_collected);
                (_collected, _sent) = (_sent, new());
                _confirmation = Task.CompletedTask;
                _failure = null;
            }
        }

        return ConfirmAsync(cancellationToken);
    }

    private async Task TellingTheCaller(Task call)
    {
        try
        {
            await call.ConfigureAwait(false);
        }
        catch (Exception)
        {
            _failureIsTold = true;
            throw;
        }
    }

    /// <summary>Sends what is collected as one script. Called inside the lock.</summary>
    private void Send(SessionHash hash)
    {
        if (_sight.IsEnded)
        {
            Refuse();
            return;
        }

        var changes = _collected;
        _collected = new();
        _sent.Append(changes);
        _inFlight++;
        _renewed = true; // the script sets the TTL
        _newGeneration ??= SessionGeneration.Create();
        _confirmation = ConfirmInOrderAsync(_confirmation, hash, _sight, hash.ChangeAsync(ArgumentsFor(changes)));
    }

    private RedisValue[] ArgumentsFor(SessionChanges changes) =>
        changes.ToArguments(_expiry, _sight.Generation, _newGeneration!, _protector);

    private async Task ConfirmInOrderAsync(Task previous, SessionHash hash, SessionSight asked, Task<RedisResult> reply)
    {
        try
        {
            try
            {
                await Task.WhenAll(previous, reply).ConfigureAwait(false);
            }
            catch (Exception error) when (previous.IsCompletedSuccessfully && RedisScript.IsMissing(error))
            {
                // The server does not have the script. Others sent after this one may have met the same, or not: sending the net
                // effect of all that is unconfirmed leaves the session as if each had been applied in its turn.
                lock (_gate)
                {
                    asked = _sight;
                    reply = hash.ChangeByTextAsync(ArgumentsFor(_sent));
                }

                await reply.ConfigureAwait(false);
            }

            if (_store.WaitForReplicas > 0) await ReplicateAsync(hash).ConfigureAwait(false);
        }
        catch (Exception)
        {
            lock (_gate) _inFlight--;
            throw;
        }

        Confirm(asked, ChangeReply.Parse(await reply.ConfigureAwait(false)));
    }

    private async Task ReplicateAsync(SessionHash hash)
    {
        int wanted = _store.WaitForReplicas;
        int replicas = (int)await hash.WaitForReplicasAsync(wanted, ReplicationTimeout).ConfigureAwait(false);
        if (replicas < wanted) throw new SessionNotReplicatedException(Id, replicas, wanted);
    }

    private void Confirm(SessionSight asked, ChangeReply reply)
    {
        bool created;
        lock (_gate)
        {
            _inFlight--;
            _answered = true;
            created = reply.Generation is { } generation && generation == _newGeneration && _sight.Generation is null;
            _sight = reply.Ended ? SessionSight.Ended : _sight.After(asked, reply.Generation);
            if (_sight.IsEnded)
            {
                Refuse();
                throw new SessionEndedException(Id);
            }

            if (_inFlight == 0)
            {
                _snapshot?.Apply(_sent);
                if (_snapshotsOnTheirWay > 0) (_confirmedMeanwhile ??= new()).Append(_sent);
                _sent = new();
            }
        }

        if (created) _store.Logger.SessionStarted(Id);
        _store.Logger.SessionStored(Id);
    }

    /// <summary>The session has ended: what was changed is dropped, and every confirmation says so. Called inside the lock.</summary>
    private void Refuse()
    {
        _collected = new();
        _sent = new();
        if (_inFlight == 0) _confirmation = Task.FromException(new SessionEndedException(Id));
        _store.Logger.WriteRefused(Id);
        _store.Metrics.WriteRefused();
    }

    private void FailConfirmation(Exception error)
    {
        if (_inFlight == 0 && !_confirmation.IsFaulted) _confirmation = Task.FromException(error);
    }

    private void RememberWriteFailure(Exception error)
    {
        if (error is SessionEndedException) return; // logged where it was refused

        // The same failure is met again by each later confirmation of this request; one log entry tells it.
        if (ReferenceEquals(Interlocked.Exchange(ref _loggedWriteFailure, error), error)) return;

        // What was logged when reading failed needs no second stack trace.
        bool isLogged = ReferenceEquals(_failure, error);

        // An error reply (out of memory, read-only) says nothing about reading; a lost connection or a timeout does.
        bool isOutage = error is RedisConnectionException or TimeoutException or OperationCanceledException;
        lock (_gate)
        {
            if (isOutage) _failure ??= error;
            FailConfirmation(error);
        }

        _store.Logger.WriteFailed(Id, isLogged ? null : error);
    }

    /// <summary>What this request's own unconfirmed writes say about a key; false when they say nothing.</summary>
    private bool TryGetOwn(string key, out byte[]? value)
    {
        lock (_gate) return _collected.Decides(key, out value) || _sent.Decides(key, out value);
    }

    private void OverlayKeys(HashSet<string> keys)
    {
        foreach (var changes in (ReadOnlySpan<SessionChanges>)[_sent, _collected])
        {
            if (changes.Cleared) keys.Clear();
            foreach (var (key, value) in changes.Keys)
            {
                if (value is null) keys.Remove(key);
                else keys.Add(key);
            }
        }
    }
}
