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

    private SessionChanges? _sent;
    private int _inFlight;

    // The sends are numbered: those up to _lastCovered have been sent again, in one, to a server that did not have the script.
    private int _lastSent;
    private int _lastCovered;

    // Done when everything sent is confirmed, with null, or with what failed: a failed task would have to be observed by somebody.
    private Task<ExceptionDispatchInfo?> _confirmation = Confirmed;
    private Exception? _loggedWriteFailure;
    private string? _newGeneration;

    /// <summary>Nothing is left to send or to wait for. Read inside the lock.</summary>
    private bool IsConfirmed => _collected is null && _confirmation is { IsCompleted: true, Result: null };

    /// <summary>Sends what is collected as one script. Called inside the lock.</summary>
    private void Send(SessionHash hash)
    {
        if (_sight.IsEnded)
        {
            Refuse();
            return;
        }

        var changes = Collected;
        _collected = null;
        var arguments = ArgumentsFor(changes);
        _sent = SessionChanges.Merge(_sent, changes);
        _inFlight++;
        _renewed = true; // the script sets the TTL
        var write = Begin(OperationKind.Write);
        var reply = hash.ChangeAsync(write.Sends(arguments));
        _confirmation = write.Follow(ConfirmInOrderAsync(_confirmation, _sight, reply, ++_lastSent));
        KeepListed(_confirmation);
    }

    private RedisValue[] ArgumentsFor(SessionChanges changes) =>
        changes.ToArguments(Expiry, _sight.Generation, GenerationIfNew(), Protector);

    /// <summary>
    /// The generation of the session that a script may make; of one that was seen, none is made, nor of one that may have to be taken over.
    /// Called inside the lock.
    /// </summary>
    private string GenerationIfNew()
    {
        if (_sight.Generation.IsNull && !MayBeLeft(_sight)) _newGeneration ??= SessionGeneration.Create();
        return _newGeneration ?? "";
    }

    private async Task<ExceptionDispatchInfo?> ConfirmInOrderAsync(
        Task<ExceptionDispatchInfo?> previous, SessionSight asked, Task<RedisResult> reply, int number)
    {
        // Both are waited for, so that the reply does not go unobserved; the failure that is told is the earlier one.
        var earlier = await previous.ConfigureAwait(false);
        await ((Task)reply).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        bool isPlain = earlier is null && reply.IsCompletedSuccessfully && _store.WaitForReplicas == 0;
        var answer = isPlain ? ChangeReply.Parse(await reply.ConfigureAwait(false)) : default;
        return isPlain && !WaitsForTakeover(asked, answer)
            ? Confirm(asked, answer)
            : await ConfirmUnusualAsync(earlier, asked, reply, number).ConfigureAwait(false);
    }

    private async Task<ExceptionDispatchInfo?> ConfirmUnusualAsync(
        ExceptionDispatchInfo? earlier, SessionSight asked, Task<RedisResult> reply, int number)
    {
        ChangeReply answer;
        bool isSentAgain = false;
        try
        {
            earlier?.Throw();
            var hash = new SessionHash(await _store.Connection.GetDatabaseAsync().ConfigureAwait(false), Key);
            try
            {
                answer = ChangeReply.Parse(await reply.ConfigureAwait(false));
            }
            catch (RedisServerException error) when (RedisScript.IsMissing(error))
            {
                (asked, answer) = await SendAgainAsync(hash, number).ConfigureAwait(false);
                isSentAgain = true;
            }

            if (WaitsForTakeover(asked, answer))
            {
                await SettleAsync(hash).ConfigureAwait(false);
                (asked, answer) = await SendAgainAsync(hash, number, isSentAgain).ConfigureAwait(false);
            }

            if (_store.WaitForReplicas > 0 && !answer.Ended) await ReplicateAsync(hash).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            lock (Gate) _inFlight--;
            if (earlier is null) RememberWriteFailure(error);
            return earlier ?? ExceptionDispatchInfo.Capture(error);
        }

        return Confirm(asked, answer);
    }

    /// <summary>
    /// The server does not have the script. Other changes sent after this one may have met the same, or not: sending the net effect of all
    /// that is unconfirmed, once, leaves the session as if each had been applied in its turn. So it does for changes that were not made
    /// because the session had to be taken over first.
    /// </summary>
    private async Task<(SessionSight Asked, ChangeReply Answer)> SendAgainAsync(SessionHash hash, int number, bool evenIfCovered = false)
    {
        SessionSight asked;
        Task<RedisResult> reply;
        lock (Gate)
        {
            asked = _sight;
            bool isCovered = number <= _lastCovered && !evenIfCovered;
            if (isCovered || asked.IsEnded) return (asked, new(asked.IsEnded, asked.Generation));
            _lastCovered = _lastSent;
            reply = hash.ChangeByTextAsync(ArgumentsFor(_sent!));
        }

        return (asked, ChangeReply.Parse(await reply.ConfigureAwait(false)));
    }

    private async Task ReplicateAsync(SessionHash hash)
    {
        int wanted = _store.WaitForReplicas;
        int replicas = (int)await hash.WaitForReplicasAsync(wanted, ReplicationTimeout).ConfigureAwait(false);
        if (replicas < wanted) throw new SessionNotReplicatedException(Id, replicas, wanted);
    }

    /// <summary>Takes in the answer; null, or that the session has ended.</summary>
    private ExceptionDispatchInfo? Confirm(SessionSight asked, ChangeReply reply)
    {
        bool created;
        lock (Gate)
        {
            _inFlight--;
            created = TakeIn(asked, reply);
            if (_sight.IsEnded)
            {
                Refuse();
                return ExceptionDispatchInfo.Capture(new SessionEndedException(Id));
            }

            if (_inFlight == 0 && _sent is { } confirmed)
            {
                if (_snapshotsOnTheirWay > 0) (_confirmedMeanwhile ??= new()).Append(confirmed);
                _snapshot?.Apply(confirmed);
                _sent = null;
            }
        }

        ConfirmedOne(created);
        return null;
    }

    /// <summary>Takes in what a script says about the session; true when it has made it. Called inside the lock.</summary>
    private bool TakeIn(SessionSight asked, ChangeReply reply)
    {
        _answered = true;
        bool created = _newGeneration is not null && reply.Generation == _newGeneration && _sight.Generation.IsNull;
        _sight = reply.Ended ? SessionSight.Ended : _sight.After(asked, reply.Generation);
        if (created && _store.Lifecycle.HasHandlers) _store.Lifecycle.Created(Id, _sent?.User ?? AskForUser());
        return created;
    }

    private void ConfirmedOne(bool created)
    {
        if (created)
        {
            ListCreated();
            _store.Logger.SessionStarted(Id);
            _store.Metrics.SessionCreated();
        }

        _store.Logger.SessionStored(Id);
    }

    /// <summary>The session has ended: what was changed is dropped, and every confirmation says so. Called inside the lock.</summary>
    private void Refuse()
    {
        _collected = null;
        _sent = null;
        if (_inFlight == 0) _confirmation = Failed(new SessionEndedException(Id));
        _store.Logger.WriteRefused(Id);
        _store.Metrics.WriteRefused();
    }

    private void FailConfirmation(Exception error)
    {
        bool concernsNothing = _collected is null && _sent is null;
        if (_inFlight == 0 && !concernsNothing && !IsFailed(_confirmation)) _confirmation = Failed(error);
    }

    private void RememberWriteFailure(Exception error)
    {
        if (error is SessionEndedException) return; // logged where it was refused

        // The same failure is met again by each later confirmation of this request; one log entry tells it.
        if (ReferenceEquals(Interlocked.Exchange(ref _loggedWriteFailure, error), error)) return;

        // An error reply (out of memory, read-only) says nothing about reading; a lost connection or a timeout does.
        bool isOutage = error is RedisConnectionException or TimeoutException or OperationCanceledException;
        bool isLogged;
        lock (Gate)
        {
            isLogged = ReferenceEquals(_failure?.SourceException, error); // when reading failed: that needs no second stack trace
            if (isOutage) _failure ??= ExceptionDispatchInfo.Capture(error);
            FailConfirmation(error);
        }

        _store.Logger.WriteFailed(Id, isLogged ? null : error);
    }

    private static Task<ExceptionDispatchInfo?> Confirmed { get; } = Task.FromResult<ExceptionDispatchInfo?>(null);

    private static Task<ExceptionDispatchInfo?> Failed(Exception error) =>
        Task.FromResult<ExceptionDispatchInfo?>(ExceptionDispatchInfo.Capture(error));

    private static bool IsFailed(Task<ExceptionDispatchInfo?> confirmation) =>
        confirmation is { IsCompleted: true, Result: not null };
}
