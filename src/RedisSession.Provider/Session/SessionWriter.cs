using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Sends what a request has changed, and confirms it: see <see cref="SessionState"/> for what becomes of a change.</summary>
/// <remarks>
/// Buffered mode collects until something asks for confirmation: the start of the response, a commit, or an asynchronous write, which also
/// sends what was collected before it, to keep the order. Live mode sends each change at once.
/// </remarks>
internal sealed class SessionWriter(
    SessionChannel channel,
    ExpiryRefresh refresh,
    SessionListing listing,
    SessionTakeover takeover,
    SessionRevival revival,
    LifecycleQueue lifecycle,
    SessionNames names,
    IOptions<RedisHashSessionOptions> options)
{
    // A WAIT holds up whatever else shares the connection, so it must not be long.
    private static readonly TimeSpan ReplicationTimeout = TimeSpan.FromSeconds(1);

    private readonly bool _isLive = options.Value.Mode == RedisSessionMode.Live;
    private readonly int _waitForReplicas = options.Value.WaitForReplicas;

    /// <summary>Adds a change and waits for Redis to confirm it, and all before it.</summary>
    public Task WriteAsync(RequestSession session, SessionChanges changes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (changes.IsEmpty) return Task.CompletedTask;
        lock (session.State.Gate) session.State.Collect(changes);
        return ConfirmForCallerAsync(session, cancellationToken);
    }

    /// <summary>
    /// A change was collected through the synchronous API. It is confirmed before the response starts; live mode sends it now. Called
    /// inside the lock.
    /// </summary>
    public void HasChanged(RequestSession session)
    {
        if (_isLive) SendAtOnce(session);
    }

    /// <summary>Confirms what is unconfirmed, for a call that throws on failure.</summary>
    public Task ConfirmForCallerAsync(RequestSession session, CancellationToken cancellationToken)
    {
        bool isOutage;
        lock (session.State.Gate) isOutage = session.State.Failure is not null;

        // A write that was refused (out of memory, a wrong type) says nothing about this one; an outage does.
        return isOutage
            ? TellingTheCaller(session, ConfirmAsync(session, cancellationToken), cancellationToken)
            : RetryForCallerAsync(session, cancellationToken);
    }

    /// <summary>The same, and resends what has failed: every change may be applied twice.</summary>
    public Task RetryForCallerAsync(RequestSession session, CancellationToken cancellationToken)
    {
        lock (session.State.Gate)
        {
            if (session.State.Retry()) session.Confirmation = RequestSession.Confirmed;
        }

        return TellingTheCaller(session, ConfirmAsync(session, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Confirms earlier changes and waits for what else is in flight, for a call whose change depends on what Redis holds. If more starts
    /// after that, the caller sees it in <see cref="RequestSession.WhatToWaitFor"/> and asks again.
    /// </summary>
    public async Task ClearTheWayAsync(RequestSession session, CancellationToken cancellationToken)
    {
        while (true)
        {
            await ConfirmForCallerAsync(session, cancellationToken).ConfigureAwait(false);
            Task? earlier;
            lock (session.State.Gate) earlier = session.WhatToWaitFor;
            if (earlier is null) return;
            await earlier.WaitAsync(session.Timeouts.IO, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>
    /// The response is about to start. ASP.NET Core commits after sending it, and swallows the error. Here the next request, on whichever
    /// server, sees what this one wrote, because no response starts before Redis has it.
    /// </summary>
    public Task ConfirmBeforeResponseAsync(RequestSession session)
    {
        var state = session.State;
        if (!state.HasAsked && state.Pending is null) return Task.CompletedTask;
        if (session.Request is { } request) listing.Settle(session, request);
        lock (state.Gate)
        {
            if (state.AreChangesConfirmed && session.IsListed) return Task.CompletedTask;

            // Shortcut for the usual case: this task never fails, and errors are logged where they occur.
            if (channel.IsBoundedByClient(session) && !channel.Throws)
            {
                SendAtOnce(session);
                if (state.Pending is { Collected: null } && session.IsListed) return session.Confirmation;
            }
        }

        return ConfirmOrFailTheResponseAsync(session);
    }

    /// <summary>Sends the collected changes, if any, and waits until all are confirmed. Does not retry what has failed.</summary>
    public async Task ConfirmAsync(RequestSession session, CancellationToken cancellationToken)
    {
        var state = session.State;
        if (state.Pending is not { } pending) return;
        var waiting = channel.Within(session, cancellationToken);
        Task<ExceptionDispatchInfo?> confirmation;
        while (true)
        {
            Task? earlier;
            lock (state.Gate)
            {
                if (state.IsCollectedRefused()) Refuse(session);
                if (pending.AreConfirmed) return;
                confirmation = session.Confirmation;
                if (pending.HaveFailed)
                {
                    confirmation = Task.FromResult(pending.Failure);
                    break;
                }

                earlier = WhatToWaitFor(session);
            }

            try
            {
                if (earlier is not null) await waiting.ForEndOfAsync(earlier).ConfigureAwait(false);
                var database = await channel.OpenAsync(session, waiting).ConfigureAwait(false);
                lock (state.Gate)
                {
                    bool isRefused = pending.HaveFailed || (state.HasEnded && pending.Collected is not null);
                    if (isRefused || WhatToWaitFor(session) is not null) continue;
                    if (state.MaySend) Send(session, database);
                    confirmation = session.Confirmation;
                }

                break;
            }
            catch (Exception error) when (!waiting.IsCancelled(error))
            {
                lock (state.Gate) pending.FailUnsent(error);
                throw;
            }
        }

        (await channel.ReplyAsync(session, operation: null, confirmation, "committing", waiting, writes: true).ConfigureAwait(false))
            ?.Throw();
    }

    /// <summary>The session has ended: drops the changes, and every confirmation says so. Called inside the lock.</summary>
    public void Refuse(RequestSession session)
    {
        session.State.Refuse(new SessionEndedException(session.Id));
        channel.Logger.WriteRefused(session.Id);
        channel.Metrics.WriteRefused();
    }

    /// <summary>Waits until as many replicas as configured have the write.</summary>
    public async Task ReplicateAsync(RequestSession session, IDatabase database, SessionIdentity identity)
    {
        if (_waitForReplicas == 0) return;
        var hash = new SessionHash(database, identity.RedisKey);
        int replicas = (int)await hash.WaitForReplicasAsync(_waitForReplicas, ReplicationTimeout).ConfigureAwait(false);
        if (replicas < _waitForReplicas) throw new SessionNotReplicatedException(identity.Id, replicas, _waitForReplicas);
    }

    /// <summary>A change that created the session is confirmed.</summary>
    /// <param name="session">The session.</param>
    /// <param name="user">The user the change bound it to; null if it bound none.</param>
    public void HasCreated(RequestSession session, string? user = null)
    {
        if (lifecycle.HasHandlers)
        {
            lock (session.State.Gate) lifecycle.Created(session.Id, user ?? listing.UserOf(session));
        }

        channel.Logger.SessionStarted(session.Id);
        channel.Metrics.SessionCreated();
    }

    private async Task ConfirmOrFailTheResponseAsync(RequestSession session)
    {
        // As of now: a write call still in flight gets its failure too, but nobody awaits it, or the response would not start yet.
        bool isTold = session.State.Notice == FailureNotice.Given;
        try
        {
            await ConfirmAsync(session, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception) when (!channel.Throws || isTold)
        {
            // Logged where it happened.
        }

        if (!session.IsListed)
        {
            await session.Listing.WaitAsync(session.Timeouts.IO).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What must complete before the collected changes may go; null if they may. Called inside the lock.</summary>
    private static Task? WhatToWaitFor(RequestSession session) =>
        session.State is { IsMoving: false, Pending.Collected: null } ? null : session.WhatToWaitFor;

    /// <summary>Sends the collected changes now, if possible. Called inside the lock.</summary>
    private void SendAtOnce(RequestSession session)
    {
        // What cannot be sent now (not connected, or failed before) is sent, or fails, with the confirmation.
        if (session.State.Failure is not null || !session.State.MaySend || channel.OpenDatabase is not { } database) return;
        if (session.WhatToWaitFor is not null) return;
        try
        {
            Send(session, database);
        }
        catch (Exception)
        {
            // So does a value that cannot be encrypted.
        }
    }

    /// <summary>Sends the collected changes as one script. Called inside the lock.</summary>
    private void Send(RequestSession session, IDatabase database)
    {
        var state = session.State;
        bool isRefreshed = refresh.IsRecentForWrite(session);
        var (script, arguments) = ScriptFor(session, state.Pending!.Collected!, isRefreshed); // may fail, and then nothing has been taken
        var write = channel.Begin(OperationKind.Write, session);
        session.Renewal?.Note(state.Pending.Collected!);
        var batch = state.TakeBatch();
        var sent = script.SendDirectly(database, batch.Question.Identity.RedisKey, write.Sends(arguments));
        session.Confirmation = write.Follow(ConfirmInOrderAsync(session, session.Confirmation, session.Operation, batch, sent));
        if (takeover.IsDue(batch.Question) || sent.MayComeLate) session.ChangeToWaitFor = session.Confirmation;
        listing.Keep(session, session.Confirmation);
    }

    private (RedisScript Script, RedisValue[] Arguments) ScriptFor(RequestSession session, SessionChanges changes, bool isRefreshed)
    {
        var state = session.State;
        bool mayBeLegacy = takeover.IsDue(state);
        var (script, arguments) = SessionScripts.For(
            changes,
            session.Timeouts.Expiry,
            isRefreshed,
            state.Generation,
            state.NewGeneration(mayBeLegacy),
            state.Identity.Protector);
        return session.Lock is { } held ? held.Guard(script, arguments, channel.NameOf(names.LockChannel)) : (script, arguments);
    }

    private async Task<ExceptionDispatchInfo?> ConfirmInOrderAsync(
        RequestSession session, Task<ExceptionDispatchInfo?> previous, Task operation, Batch batch, SentScript sent)
    {
        // Await them all, so that no reply goes unobserved and replies are processed in the order of sending. The earlier failure is
        // reported.
        var earlier = await previous.ConfigureAwait(false);
        await operation.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ((Task)sent.Reply).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        bool isPlain = earlier is null && sent.Reply.IsCompletedSuccessfully && _waitForReplicas == 0;
        var answer = isPlain ? ChangeReply.Parse(await sent.Reply.ConfigureAwait(false)) : default;
        return isPlain && !takeover.IsDue(batch.Question, answer) && !SessionRevival.IsDue(batch.Question, answer.Ended)
            ? Confirm(session, batch, answer)
            : await ConfirmUnusualAsync(session, earlier, batch, sent).ConfigureAwait(false);
    }

    private async Task<ExceptionDispatchInfo?> ConfirmUnusualAsync(
        RequestSession session, ExceptionDispatchInfo? earlier, Batch batch, SentScript sent)
    {
        ChangeReply answer;
        bool isSentAgain = false;
        try
        {
            if (earlier is not null) await ThrowAsync(session, earlier, batch, sent.Reply).ConfigureAwait(false);
            var database = await channel.OpenAsync(session, Waiting.Asynchronously, retry: true).ConfigureAwait(false);
            try
            {
                isSentAgain = sent.MayBeRepeated;
                if (isSentAgain)
                {
                    (batch, answer) = await SendAgainAsync(session, batch, sent.RepeatAsync).ConfigureAwait(false);
                }
                else
                {
                    var reply = await sent.AfterFailureAsync(batch.Question.Identity.RedisKey).ConfigureAwait(false);
                    answer = ChangeReply.Parse(await reply.ConfigureAwait(false));
                }
            }
            catch (RedisServerException error) when (RedisScript.IsMissing(error))
            {
                (batch, answer) = await SendAgainAsync(session, batch, SendTextAsync, isSentAgain).ConfigureAwait(false);
                isSentAgain = true;
            }

            if (takeover.IsDue(batch.Question, answer))
            {
                await takeover.SettleAsync(session, batch.Question, Waiting.Asynchronously).ConfigureAwait(false);
                (batch, answer) = await SendAgainAsync(session, batch, SendTextAsync, isSentAgain).ConfigureAwait(false);
            }

            if (SessionRevival.IsDue(batch.Question, answer.Ended)
                && await revival.IsGoneAsync(session, batch.Question, Waiting.Asynchronously).ConfigureAwait(false))
            {
                (batch, answer) = await SendAgainAsync(session, batch, SendTextAsync, evenIfCovered: true).ConfigureAwait(false);
            }

            if (!answer.Ended) await ReplicateAsync(session, database, batch.Question.Identity).ConfigureAwait(false);

            Task<RedisResult> SendTextAsync(RedisKey key, RedisScript script, ScriptArguments arguments) =>
                script.SendTextAsync(database, key, arguments);
        }
        catch (Exception failure)
        {
            var error = LockScripts.IsLost(failure) ? new SessionLockLostException(batch.Question.Identity.Id) : failure;
            lock (session.State.Gate) session.State.Fail(error);
            if (error is SessionLockLostException) channel.Metrics.LockLost();
            if (earlier is null) channel.WritingFailed(session, error);
            return earlier ?? ExceptionDispatchInfo.Capture(error);
        }

        return Confirm(session, batch, answer);
    }

    /// <summary>An earlier batch has failed, and this one is sent again after that; but what its answer says of the session counts.</summary>
    private async Task ThrowAsync(RequestSession session, ExceptionDispatchInfo earlier, Batch batch, Task<RedisResult> reply)
    {
        if (reply.IsCompletedSuccessfully)
        {
            bool isCreated;
            var answer = ChangeReply.Parse(await reply.ConfigureAwait(false));
            lock (session.State.Gate) isCreated = session.State.TakeReply(batch.Question, answer);
            if (isCreated) HasCreated(session);
        }

        earlier.Throw();
    }

    /// <summary>
    /// Resends a batch that was not made, or may not have been: the server does not have the script, the connection was lost, or the session
    /// first had to be taken over or put back. What was sent after it goes with it, so that older values do not come last.
    /// </summary>
    private async Task<(Batch Batch, ChangeReply Answer)> SendAgainAsync(
        RequestSession session,
        Batch batch,
        Func<RedisKey, RedisScript, ScriptArguments, Task<RedisResult>> send,
        bool evenIfCovered = false)
    {
        var state = session.State;
        Task<RedisResult> reply;
        lock (state.Gate)
        {
            if (state.TakeAgain(ref batch, evenIfCovered) is not { } changes) return (batch, new(state.HasEnded, state.Generation));
            var (script, arguments) = ScriptFor(session, changes, isRefreshed: false); // nor may the refresh that went with it
            bool hasSeen = !state.Generation.IsNull;
            var asOfThen = hasSeen ? new(arguments) : SessionScripts.SeenByThen(arguments, () => state.GenerationNow);
            reply = send(batch.Question.Identity.RedisKey, script, asOfThen);
            session.ChangeToWaitFor = session.Confirmation; // a newer change must not be overtaken by this, however often it is resent
        }

        return (batch, ChangeReply.Parse(await reply.ConfigureAwait(false)));
    }

    /// <summary>Processes the answer: null, or that the session has ended.</summary>
    private ExceptionDispatchInfo? Confirm(RequestSession session, Batch batch, ChangeReply answer)
    {
        bool isCreated;
        string? user;
        lock (session.State.Gate)
        {
            user = session.State.Pending!.NextUser;
            if (!session.State.Confirm(batch, answer, out isCreated))
            {
                Refuse(session);
                return ExceptionDispatchInfo.Capture(new SessionEndedException(session.Id));
            }

            listing.Seen(session, isCreated);
        }

        if (isCreated) HasCreated(session, user);

        // Checked first, because the id is computed for it.
        if (channel.Logger.IsEnabled(LogLevel.Debug)) channel.Logger.SessionStored(session.Id);
        return null;
    }

    private static async Task TellingTheCaller(RequestSession session, Task call, CancellationToken cancellationToken)
    {
        try
        {
            await call.ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            session.State.Notice = FailureNotice.Given;
            throw;
        }
    }
}
