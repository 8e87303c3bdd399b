using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// This file: changes that the application makes, and when they are sent. RedisHashSession.Confirming.cs goes on from there.
/// </summary>
/// <remarks>
/// A change is first collected, then sent, then confirmed. Buffered mode collects until something asks for confirmation: the
/// start of the response, a commit, or an asynchronous write, which takes along what was collected before it, so that the
/// order stays. Live mode sends each change at once.
/// </remarks>
internal sealed partial class RedisHashSession
{
    private SessionChanges _collected = new();

    // The application has been told of a failure by an exception of a call it made: no need to break its response too.
    private bool _failureIsTold;

    /// <summary>Sets keys and waits for Redis to confirm.</summary>
    public Task SetAsync(IEnumerable<KeyValuePair<string, byte[]>> values, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(values);
        var changes = new SessionChanges();
        foreach (var (key, value) in values)
        {
            changes.Set(CheckSet(key, value), value.AsSpan().ToArray());
        }

        return WriteAsync(changes, cancellationToken);
    }

    /// <summary>Sets one key and waits for Redis to confirm.</summary>
    public Task SetAsync(string key, byte[] value, CancellationToken cancellationToken)
    {
        var changes = new SessionChanges();
        changes.Set(CheckSet(key, value), value.AsSpan().ToArray());
        return WriteAsync(changes, cancellationToken);
    }

    /// <summary>Removes one key and waits for Redis to confirm.</summary>
    public Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        var changes = new SessionChanges();
        changes.Remove(SessionHashLayout.Normalize(key));
        return WriteAsync(changes, cancellationToken);
    }

    private Task WriteAsync(SessionChanges changes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (changes.IsEmpty) return Task.CompletedTask;
        bool isOutage;
        lock (_gate)
        {
            _collected.Append(changes);
            _failureIsTold = false;
            isOutage = _failure is not null;
        }

        // A write that was refused (out of memory, a wrong type) says nothing about this one; an outage does.
        return TellingTheCaller(isOutage ? ConfirmAsync(cancellationToken) : RetryAsync(cancellationToken), cancellationToken);
    }

    /// <summary>
    /// A change through the synchronous API: collected, in live mode also sent, and confirmed before the response starts.
    /// </summary>
    private void Change(Action<SessionChanges> change)
    {
        lock (_gate)
        {
            change(_collected);
            _failureIsTold = false;
            if (_store.Mode == RedisSessionMode.Live) SendAtOnce();
        }
    }

    /// <summary>
    /// ASP.NET Core commits when the response is out, and swallows the error. Here the next request, on whichever server, sees
    /// what this one wrote, because no response starts before Redis has it. Registered when the session is made, because such callbacks
    /// run last to first: so this one comes after those of the application, which may change the session too.
    /// </summary>
    private void ConfirmBeforeResponse(HttpContext context)
    {
        if (context.Response.HasStarted) return;
        context.Response.OnStarting(static session => ((RedisHashSession)session).OnResponseStartingAsync(), this);
    }

    private Task OnResponseStartingAsync()
    {
        if (_context is { } context) SettleUser(context);
        lock (_gate)
        {
            if (IsConfirmed && IsListed) return Task.CompletedTask;
        }

        return ConfirmOrFailTheResponseAsync();

        async Task ConfirmOrFailTheResponseAsync()
        {
            // As of now: the call of a write that is still under way is told of its failure too, but nobody waits for that call, or the
            // response would not start yet.
            bool isTold = _failureIsTold;
            try
            {
                await ConfirmAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception) when (_store.FailureMode == FailureMode.LogAndContinue || isTold)
            {
                // Logged where it happened.
            }

            if (!IsListed) await _listing.WaitAsync(_ioTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void SendAtOnce()
    {
        // What cannot go now (not connected yet, or failed before) goes, or fails, with the confirmation.
        if (_failure is not null || _sight.IsEnded || _confirmation.IsFaulted) return;
        if (_store.Connection.OpenDatabase is { } database) Send(new(database, _key));
    }

    /// <summary>Sends what is collected, if anything, and waits until all is confirmed. Does not repeat what has failed.</summary>
    private async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        Task confirmation;
        lock (_gate)
        {
            if (_sight.IsEnded && !_collected.IsEmpty) Refuse();
            confirmation = _confirmation;
            if (IsConfirmed) return;
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
            if (!_sight.IsEnded)
            {
                _failure = null;
                if (_confirmation.IsFaulted && _inFlight == 0)
                {
                    _sent.Append(_collected);
                    (_collected, _sent) = (_sent, new());
                    _confirmation = Task.CompletedTask;
                }
            }
        }

        return ConfirmAsync(cancellationToken);
    }

    private async Task TellingTheCaller(Task call, CancellationToken cancellationToken)
    {
        try
        {
            await call.ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            _failureIsTold = true;
            throw;
        }
    }

    /// <summary>What this request's own unconfirmed writes say about a key; false when they say nothing.</summary>
    private bool TryGetOwn(string key, out byte[]? value)
    {
        lock (_gate) return _collected.Decides(key, out value) || _sent.Decides(key, out value);
    }

    /// <summary>A copy of this request's own unconfirmed writes. Called inside the lock.</summary>
    private SessionChanges CopyOwn()
    {
        var own = new SessionChanges();
        own.Append(_sent);
        own.Append(_collected);
        return own;
    }
}
