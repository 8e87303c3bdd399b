using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Takes the lock of a session, keeps it while its holder works, and releases it: see <see cref="LockScripts"/>.</summary>
/// <remarks>
/// Of the requests of one session that wait in this process, only the first asks Redis. It asks again when a message says that the lock was
/// released, when the holder's lease ends, and every so often in case the message was lost.
/// </remarks>
internal sealed class ExclusiveSessions(
    SessionChannel channel,
    SessionReader reader,
    SessionWriter writer,
    ExpiryRefresh refresh,
    SessionListing listing,
    SessionTakeover takeover,
    SessionMetrics metrics,
    SessionNames names)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, Queue> _queues = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private int _listeners;

    /// <summary>Null if others held the lock for the whole of <paramref name="wait"/>.</summary>
    public async Task<SessionLock?> TryTakeAsync(RequestSession session, TimeSpan wait, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        session.CheckSet("", []); // taking the lock starts a session
        if (session.Lock is not null) throw new InvalidOperationException("This request already holds the lock of its session.");
        long start = Environment.TickCount64;
        string id = session.Id;
        var queue = Join(id);
        bool isFirst = false, isTaken = false;
        try
        {
            isFirst = await queue.Turn.WaitAsync(wait, cancellationToken).ConfigureAwait(false);
            isTaken = isFirst
                && await TakeAsync(session, queue, start + (long)wait.TotalMilliseconds, cancellationToken).ConfigureAwait(false);
            metrics.LockAwaited(TimeSpan.FromMilliseconds(Environment.TickCount64 - start), isTaken);
            return isTaken ? new(() => ReleaseAsync(session)) : null;
        }
        finally
        {
            if (!isTaken) Leave(id, queue, hasTurn: isFirst);
        }
    }

    /// <summary>
    /// Confirms the changes and releases the lock. If that fails, the request keeps the token: its later writes are refused, because
    /// another request may hold the lock by then.
    /// </summary>
    public async Task ReleaseAsync(RequestSession session)
    {
        if (session.Lock is not { IsBeingReleased: false } held) return;
        held.Dispose();
        try
        {
            while (!await TryReleaseAsync(session, held).ConfigureAwait(false))
            {
                // Another task of the request has changed something under the lock meanwhile.
            }

            lock (session.State.Gate) session.Lock = null;
        }
        finally
        {
            held.EndRelease();
            if (_queues.TryGetValue(held.QueueId, out var queue)) Leave(held.QueueId, queue, hasTurn: true);
        }
    }

    /// <summary>
    /// The last changes release the lock, or the release is sent alone; in both cases when nothing is in flight, which may have to be sent
    /// again and would find the lock gone.
    /// </summary>
    private async Task<bool> TryReleaseAsync(RequestSession session, HeldLock held)
    {
        var state = session.State;
        lock (state.Gate) held.IsBeingReleased = state.Pending is { Collected: not null, InFlight: 0 } && session.Operation.IsCompleted;
        await writer.ConfirmForCallerAsync(session, CancellationToken.None).ConfigureAwait(false);
        if (held.IsBeingReleased || state.HasEnded) return true;

        var waiting = channel.Within(session, CancellationToken.None);
        var database = await channel.OpenAsync(session, waiting, retry: true).ConfigureAwait(false);
        Task operation;
        Task<RedisResult>? giving = null;
        lock (state.Gate)
        {
            operation = session.Operation;
            if (state.AreChangesConfirmed && operation.IsCompleted) giving = GiveBackAsync(session, database, held);
        }

        if (giving is null)
        {
            await waiting.ForEndOfAsync(operation).ConfigureAwait(false);
            return false;
        }

        await channel.ReplyAsync(session, operation: null, giving, "unlocking", waiting, writes: true).ConfigureAwait(false);
        return true;
    }

    private async Task<RedisResult> GiveBackAsync(RequestSession session, IDatabase database, HeldLock held)
    {
        try
        {
            var key = session.State.Identity.RedisKey;
            return await held.ReleaseAsync(database, key, channel.NameOf(names.LockChannel)).ConfigureAwait(false);
        }
        catch (RedisServerException error) when (LockScripts.IsLost(error))
        {
            metrics.LockLost();
            throw new SessionLockLostException(session.Id);
        }
    }

    private async Task<bool> TakeAsync(RequestSession session, Queue queue, long deadline, CancellationToken cancellationToken)
    {
        var held = new HeldLock(session.Id, Lease);
        bool listens = false;
        try
        {
            while (true)
            {
                long? left = await TryOnceAsync(session, held, cancellationToken).ConfigureAwait(false);
                if (left is null)
                {
                    _ = held.KeepAsync(ExtendAsync).Observed();
                    return true;
                }

                long now = Environment.TickCount64;
                if (now >= deadline) return false;
                if (!listens)
                {
                    // Then look once more: the lock may have been released before we listened.
                    listens = true;
                    await ListenAsync().ConfigureAwait(false);
                    continue;
                }

                long pause = Math.Min(Math.Min(left.Value + 1, deadline - now), (long)LongestPause.TotalMilliseconds);
                await queue.Released.WaitAsync(TimeSpan.FromMilliseconds(pause), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            if (listens) await UnlistenAsync().ConfigureAwait(false);
        }

        async Task ExtendAsync()
        {
            if (channel.OpenDatabase is not { } database) return;
            await LockScripts.Extend.RunAsync(
                database, session.State.Identity.RedisKey, [(long)Lease.TotalMilliseconds, held.Token]).ConfigureAwait(false);
        }
    }

    /// <summary>Null if this took the lock; otherwise the milliseconds left on the holder's lease.</summary>
    private async Task<long?> TryOnceAsync(RequestSession session, HeldLock held, CancellationToken cancellationToken)
    {
        var state = session.State;
        var waiting = channel.Within(session, cancellationToken);
        while (true)
        {
            await writer.ClearTheWayAsync(session, cancellationToken).ConfigureAwait(false);
            var database = await channel.OpenAsync(session, waiting).ConfigureAwait(false);
            Question question;
            Task<RedisResult> sent;
            Task<SessionSnapshot> loading;
            lock (state.Gate)
            {
                if (session.WhatToWaitFor is not null) continue;
                if (state.HasEnded) throw new SessionEndedException(session.Id);
                question = state.Ask();
                bool isFresh = refresh.IsRecentForWrite(session);
                string newGeneration = state.NewGeneration(takeover.IsDue(question));
                RedisValue[] operands = [held.Token, (long)Lease.TotalMilliseconds];
                var arguments = new ScriptArguments(() => FieldScripts.ArgumentsOf(
                    session.Timeouts.Expiry, isFresh, state.GenerationNow, newGeneration, operands));
                sent = LockScripts.Take.RunAsync(database, [question.Identity.RedisKey], arguments);
                listing.Keep(session, sent);

                // In the same round trip: if the lock is taken, this is the session as of then.
                loading = reader.TakeSnapshotAsync(session, retry: false, keep: true, waiting).Observed();
            }

            try
            {
                var answer = await channel.ReplyAsync(session, operation: null, sent, "locking", waiting, writes: true)
                    .ConfigureAwait(false);
                await loading.ConfigureAwait(false);
                if (!answer.IsNull && ((RedisValue)answer[0]).IsNullOrEmpty)
                {
                    await takeover.SettleAsync(session, question, waiting).ConfigureAwait(false);
                    continue;
                }

                bool isCreated, isElsewhere;
                lock (state.Gate)
                {
                    isCreated = state.TakeReply(question, ChangeReply.Parse(answer.IsNull ? answer : answer[0]));
                    if (state.HasEnded) throw new SessionEndedException(session.Id);
                    isElsewhere = state.IsMoving || state.Identity != question.Identity;
                    if (!isElsewhere && IsTaken(answer)) session.Lock = held;
                    listing.Seen(session, isCreated);
                }

                if (isCreated) writer.HasCreated(session);
                if (!isElsewhere) return session.Lock == held ? null : (long)answer[2];
            }
            catch (Exception)
            {
                _ = GiveUpAsync(database, question, held, sent).Observed();
                throw;
            }

            // Another task of the request renews the key: that leaves behind a lock that it does not know of.
            await waiting.ForEndOfAsync(GiveUpAsync(database, question, held, sent)).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Nobody holds what was asked for: releases it as soon as it is known to be taken, or that it may be, so that the next need not wait
    /// for the end of the lease. Until then nothing is sent: if the connection is lost, that could come before what it is to undo.
    /// </summary>
    private async Task GiveUpAsync(IDatabase database, Question question, HeldLock held, Task<RedisResult> taking)
    {
        await ((Task)taking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (taking.IsCompletedSuccessfully && !IsTaken(await taking.ConfigureAwait(false))) return;
        RedisValue[] arguments = [channel.NameOf(names.LockChannel), held.Token];
        await LockScripts.GiveUp.RunAsync(database, question.Identity.RedisKey, arguments).ConfigureAwait(false);
    }

    private static bool IsTaken(RedisResult answer) => !answer.IsNull && answer.Length > 1 && (int)answer[1] == 1;

    private async Task ListenAsync()
    {
        bool isFirst;
        lock (_gate) isFirst = _listeners++ == 0;
        if (!isFirst || channel.OpenDatabase is not { } database) return;
        try
        {
            await database.Multiplexer.GetSubscriber().SubscribeAsync(names.LockChannel, Heard).ConfigureAwait(false);
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            // No permission to subscribe, no connection, or a slow server: each waiter polls.
        }
    }

    private async Task UnlistenAsync()
    {
        bool isLast;
        lock (_gate) isLast = --_listeners == 0;
        if (!isLast || channel.OpenDatabase is not { } database) return;
        try
        {
            await database.Multiplexer.GetSubscriber().UnsubscribeAsync(names.LockChannel, Heard).ConfigureAwait(false);
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            // It still gets unneeded messages.
        }
    }

    private void Heard(RedisChannel channel, RedisValue key)
    {
        string text = key.ToString();
        int at = text.LastIndexOf(':');
        if (at >= 0 && _queues.TryGetValue(text[(at + 1)..], out var queue)) queue.Wake();
    }

    private Queue Join(string id)
    {
        lock (_gate)
        {
            var queue = _queues.GetOrAdd(id, static _ => new());
            queue.Count++;
            return queue;
        }
    }

    private void Leave(string id, Queue queue, bool hasTurn)
    {
        lock (_gate)
        {
            if (--queue.Count == 0) _queues.TryRemove(id, out _);
        }

        if (hasTurn) queue.Turn.Release();
    }

    /// <summary>This process's requests that want the lock of one session.</summary>
    private sealed class Queue
    {
        /// <summary>The one that asks Redis, or holds the lock.</summary>
        public SemaphoreSlim Turn { get; } = new(1);

        /// <summary>A message said that the lock was released.</summary>
        public SemaphoreSlim Released { get; } = new(0);

        public int Count { get; set; }

        public void Wake()
        {
            if (Released.CurrentCount == 0) Released.Release();
        }
    }
}
