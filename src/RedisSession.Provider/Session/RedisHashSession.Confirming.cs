using System.Runtime.ExceptionServices;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: changes from the moment they are sent until Redis has confirmed, refused or failed them.</summary>
/// <remarks>
/// What is sent is one script. Several can be under way; their confirmations are awaited in the order of their sending. What has failed
/// stays in <see cref="_sent"/>, so that it can be sent again.
/// </remarks>
internal sealed partial class RedisHashSession
{
    // A WAIT holds up whatever else shares the connection, so it must not be long.
    private static readonly TimeSpan ReplicationTimeout = TimeSpan.FromSeconds(1);

    private SessionChanges _sent = new();
    private int _inFlight;

    // The sends are numbered: those up to _lastCovered have been sent again, in one, to a server that did not have the script.
    private int _lastSent;
    private int _lastCovered;

    // Done when everything sent is confirmed; failed when something was not.
    private Task _confirmation = Task.CompletedTask;
    private Exception? _loggedWriteFailure;
    private string? _newGeneration;

    /// <summary>Nothing is left to send or to wait for. Read inside the lock.</summary>
    private bool IsConfirmed => _collected.IsEmpty && _confirmation.IsCompletedSuccessfully;

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
        _confirmation = Observed(ConfirmInOrderAsync(_confirmation, hash, _sight, hash.ChangeAsync(ArgumentsFor(changes)), ++_lastSent));
        KeepListed(_confirmation);
    }

    private RedisValue[] ArgumentsFor(SessionChanges changes) =>
        changes.ToArguments(_expiry, _sight.Generation, _newGeneration!, _protector);

    private async Task ConfirmInOrderAsync(Task previous, SessionHash hash, SessionSight asked, Task<RedisResult> reply, int number)
    {
        ChangeReply answer;
        try
        {
            try
            {
                // Both are waited for, so that neither goes unobserved; the failure that is told is the earlier one.
                await Task.WhenAll(previous, reply).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await previous.ConfigureAwait(false);
                answer = ChangeReply.Parse(await reply.ConfigureAwait(false));
            }
            catch (Exception error) when (previous.IsCompletedSuccessfully && RedisScript.IsMissing(error))
            {
                (asked, answer) = await SendAgainAsync(hash, number).ConfigureAwait(false);
            }

            if (_store.WaitForReplicas > 0 && !answer.Ended) await ReplicateAsync(hash).ConfigureAwait(false);
        }
        catch (Exception)
        {
            lock (_gate) _inFlight--;
            throw;
        }

        Confirm(asked, answer);
    }

    /// <summary>
    /// The server does not have the script. Other changes sent after this one may have met the same, or not: sending the net effect of all
    /// that is unconfirmed, once, leaves the session as if each had been applied in its turn.
    /// </summary>
    private async Task<(SessionSight Asked, ChangeReply Answer)> SendAgainAsync(SessionHash hash, int number)
    {
        SessionSight asked;
        Task<RedisResult> reply;
        lock (_gate)
        {
            asked = _sight;
            bool isCovered = number <= _lastCovered;
            if (isCovered || asked.IsEnded) return (asked, new(asked.IsEnded, asked.Generation));
            _lastCovered = _lastSent;
            reply = hash.ChangeByTextAsync(ArgumentsFor(_sent));
        }

        return (asked, ChangeReply.Parse(await reply.ConfigureAwait(false)));
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

        if (created)
        {
            ListCreated();
            _store.Logger.SessionStarted(Id);
        }

        _store.Logger.SessionStored(Id);
    }

    /// <summary>The session has ended: what was changed is dropped, and every confirmation says so. Called inside the lock.</summary>
    private void Refuse()
    {
        _collected = new();
        _sent = new();
        if (_inFlight == 0) _confirmation = Observed(Task.FromException(new SessionEndedException(Id)));
        _store.Logger.WriteRefused(Id);
        _store.Metrics.WriteRefused();
    }

    private void FailConfirmation(Exception error)
    {
        if (_inFlight == 0 && !_confirmation.IsFaulted) _confirmation = Observed(Task.FromException(error));
    }

    private void RememberWriteFailure(Exception error)
    {
        if (error is SessionEndedException) return; // logged where it was refused

        // The same failure is met again by each later confirmation of this request; one log entry tells it.
        if (ReferenceEquals(Interlocked.Exchange(ref _loggedWriteFailure, error), error)) return;

        // An error reply (out of memory, read-only) says nothing about reading; a lost connection or a timeout does.
        bool isOutage = error is RedisConnectionException or TimeoutException or OperationCanceledException;
        bool isLogged;
        lock (_gate)
        {
            isLogged = ReferenceEquals(_failure?.SourceException, error); // when reading failed: that needs no second stack trace
            if (isOutage) _failure ??= ExceptionDispatchInfo.Capture(error);
            FailConfirmation(error);
        }

        _store.Logger.WriteFailed(Id, isLogged ? null : error);
    }

    /// <summary>Whoever awaits the task is told of its failure; when nobody does, it is not reported as one that went unobserved.</summary>
    private static Task Observed(Task task)
    {
        if (task.IsCompleted) _ = task.Exception;
        else _ = task.ContinueWith(static done => _ = done.Exception, TaskScheduler.Default);
        return task;
    }
}
