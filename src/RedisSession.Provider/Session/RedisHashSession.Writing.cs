using System.Runtime.ExceptionServices;
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
    // Null until the first change.
    private UnconfirmedWrites? _writes;

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
        lock (Gate)
        {
            Writes.Collect(changes);
            _failureIsTold = false;
        }

        return ConfirmForCallerAsync(cancellationToken);
    }

    /// <summary>Confirms all that is not, for a call that is told of a failure.</summary>
    private Task ConfirmForCallerAsync(CancellationToken cancellationToken)
    {
        bool isOutage;
        lock (Gate) isOutage = _failure is not null;

        // A write that was refused (out of memory, a wrong type) says nothing about this one; an outage does.
        return TellingTheCaller(isOutage ? ConfirmAsync(cancellationToken) : RetryAsync(cancellationToken), cancellationToken);
    }

    /// <summary>What is changed and not sent yet. Called inside the lock.</summary>
    private SessionChanges Changes => Writes.Collected ??= new();

    private UnconfirmedWrites Writes => _writes ??= new();

    /// <summary>
    /// After a change through the synchronous API, which is confirmed before the response starts: live mode sends it now. Called inside the
    /// lock.
    /// </summary>
    private void HasChanged()
    {
        _failureIsTold = false;
        if (_store.Mode == RedisSessionMode.Live) SendAtOnce();
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
        if (IsUntouched) return Task.CompletedTask;
        if (_context is { } context) SettleUser(context);
        lock (Gate)
        {
            if (_writes is not { AreConfirmed: false } && IsListed) return Task.CompletedTask;

            // The usual case in short: this task never fails, and what goes wrong is logged where it does.
            if (IsBoundedByClient && _store.FailureMode == FailureMode.LogAndContinue)
            {
                SendAtOnce();
                if (_writes is { Collected: null } writes && IsListed) return writes.Confirmation;
            }
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

            if (!IsListed) await _listing.WaitAsync(IOTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void SendAtOnce()
    {
        // What cannot go now (not connected yet, or failed before) goes, or fails, with the confirmation.
        if (_failure is not null || _sight.IsEnded || _writes is not { Collected: not null, HaveFailed: false } writes) return;
        if (_store.Connection.OpenDatabase is { } database) Send(new(database, Key), writes);
    }

    /// <summary>Sends what is collected, if anything, and waits until all is confirmed. Does not repeat what has failed.</summary>
    private async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        if (_writes is not { } writes) return;
        Task<ExceptionDispatchInfo?> confirmation;
        bool haveFailed;
        lock (Gate)
        {
            if (_sight.IsEnded && writes.Collected is not null) Refuse();
            if (writes.AreConfirmed) return;
            confirmation = writes.Confirmation;
            haveFailed = writes.HaveFailed;
        }

        if (!haveFailed)
        {
            try
            {
                var hash = await OpenAsync(retry: false, cancellationToken).ConfigureAwait(false);
                lock (Gate)
                {
                    if (writes.Collected is not null) Send(hash, writes);
                    confirmation = writes.Confirmation;
                }
            }
            catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                lock (Gate) FailConfirmation(error);
                throw;
            }
        }

        try
        {
            (await Bounded(confirmation, cancellationToken).ConfigureAwait(false))?.Throw();
        }
        catch (Exception error) when (Failed(error, confirmation, "committing", RememberWriteFailure, cancellationToken) is { } timeout)
        {
            throw timeout;
        }
    }

    /// <summary>As <see cref="ConfirmAsync"/>, and what has failed is sent again: every change may be applied twice.</summary>
    private Task RetryAsync(CancellationToken cancellationToken)
    {
        lock (Gate)
        {
            if (!_sight.IsEnded)
            {
                _failure = null;
                _writes?.TakeBackFailed();
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
        value = null;
        if (_writes is null) return false;
        lock (Gate) return _writes.Decide(key, out value);
    }

    /// <summary>A copy of this request's own unconfirmed writes. Called inside the lock.</summary>
    private SessionChanges CopyOwn()
    {
        var own = new SessionChanges();
        if (_writes?.Sent is { } sent) own.Append(sent);
        if (_writes?.Collected is { } collected) own.Append(collected);
        return own;
    }
}
