using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: changes from the moment they are sent until Redis has confirmed, refused or failed them.</summary>
internal sealed partial class RedisHashSession
{
    // A WAIT holds up whatever else shares the connection, so it must not be long.
    private static readonly TimeSpan ReplicationTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Sends what is collected as one script. Called inside the lock.</summary>
    private void Send(SessionHash hash, UnconfirmedWrites writes)
    {
        if (_sight.IsEnded)
        {
            Refuse();
            return;
        }

        var changes = writes.Collected!;
        writes.Collected = null;
        var arguments = ArgumentsFor(changes);
        writes.Sent = SessionChanges.Merge(writes.Sent, changes);
        writes.InFlight++;
        _renewed = true; // the script sets the TTL
        var write = Begin(OperationKind.Write);
        var reply = hash.ChangeAsync(write.Sends(arguments));
        writes.Confirmation = write.Follow(ConfirmInOrderAsync(writes.Confirmation, _sight, reply, ++writes.LastSent));
        KeepListed(writes.Confirmation);
    }

    private RedisValue[] ArgumentsFor(SessionChanges changes) =>
        changes.ToArguments(Expiry, _sight.Generation, GenerationIfNew(), Protector);

    /// <summary>
    /// The generation of the session that a script may make; of one that was seen, none is made, nor of one that may have to be taken over.
    /// Called inside the lock.
    /// </summary>
    private string GenerationIfNew()
    {
        if (_sight.Generation.IsNull && !MayBeLeft(_sight)) Writes.NewGeneration ??= SessionGeneration.Create();
        return _writes?.NewGeneration ?? "";
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
            lock (Gate) Writes.InFlight--;
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
            var writes = Writes;
            bool isCovered = number <= writes.LastCovered && !evenIfCovered;
            if (isCovered || asked.IsEnded) return (asked, new(asked.IsEnded, asked.Generation));
            writes.LastCovered = writes.LastSent;
            reply = hash.ChangeByTextAsync(ArgumentsFor(writes.Sent!));
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
            var writes = Writes;
            writes.InFlight--;
            created = TakeIn(asked, reply);
            if (_sight.IsEnded)
            {
                Refuse();
                return ExceptionDispatchInfo.Capture(new SessionEndedException(Id));
            }

            if (writes.InFlight == 0 && writes.Sent is { } confirmed)
            {
                TakeIn(confirmed);
                writes.Sent = null;
            }
        }

        ConfirmedOne(created);
        return null;
    }

    /// <summary>Takes in what a script says about the session; true when it has made it. Called inside the lock.</summary>
    private bool TakeIn(SessionSight asked, ChangeReply reply)
    {
        _answered = true;
        string? newGeneration = Writes.NewGeneration;
        bool created = newGeneration is not null && reply.Generation == newGeneration && _sight.Generation.IsNull;
        _sight = reply.Ended ? SessionSight.Ended : _sight.After(asked, reply.Generation);
        if (created && _store.Lifecycle.HasHandlers) _store.Lifecycle.Created(Id, Writes.Sent?.User ?? AskForUser());
        return created;
    }

    /// <summary>
    /// Takes in what is in Redis now; <paramref name="changes"/> are not to be used on. A snapshot that is on its way may be older. Called
    /// inside the lock.
    /// </summary>
    private void TakeIn(SessionChanges changes)
    {
        if (_snapshotsOnTheirWay > 0) (Writes.ConfirmedMeanwhile ??= new()).Append(changes);
        _snapshot?.Apply(changes);
    }

    private void ConfirmedOne(bool created)
    {
        if (created)
        {
            ListCreated();
            _store.Logger.SessionStarted(Id);
            _store.Metrics.SessionCreated();
        }

        // Asked first, because the id is made for it.
        if (_store.Logger.IsEnabled(LogLevel.Debug)) _store.Logger.SessionStored(Id);
    }

    /// <summary>The session has ended: what was changed is dropped, and every confirmation says so. Called inside the lock.</summary>
    private void Refuse()
    {
        Writes.Drop();
        if (Writes.InFlight == 0) Writes.Fail(new SessionEndedException(Id));
        _store.Logger.WriteRefused(Id);
        _store.Metrics.WriteRefused();
    }

    private void FailConfirmation(Exception error)
    {
        if (_writes is { InFlight: 0, HaveFailed: false } writes && (writes.Collected ?? writes.Sent) is not null) writes.Fail(error);
    }

    private void RememberWriteFailure(Exception error)
    {
        if (error is SessionEndedException) return; // logged where it was refused

        // An error reply (out of memory, read-only) says nothing about reading; a lost connection or a timeout does.
        bool isOutage = error is RedisConnectionException or TimeoutException or OperationCanceledException;
        bool isLogged;
        lock (Gate)
        {
            // The same failure is met again by each later confirmation of this request; one log entry tells it.
            if (ReferenceEquals(Writes.LoggedFailure, error)) return;
            Writes.LoggedFailure = error;
            isLogged = ReferenceEquals(_failure?.SourceException, error); // when reading failed: that needs no second stack trace
            if (isOutage) _failure ??= ExceptionDispatchInfo.Capture(error);
            FailConfirmation(error);
        }

        _store.Logger.WriteFailed(Id, isLogged ? null : error);
    }
}
