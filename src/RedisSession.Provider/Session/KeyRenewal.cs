using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Gives a session a new key, in two steps: see <see cref="HttpContextSessionExtensions.RenewSessionAsync"/>.</summary>
/// <remarks>
/// <para>
/// The call creates the new session. When the response starts and the writes are confirmed, the new cookie goes into it and the old session
/// ends. If a request does not get that far, the old session stays as it is and the new one is removed. So whatever fails, and whenever the
/// application dies, the visitor's cookie leads to the whole session.
/// </para>
/// <para>
/// Until then only this request knows the new key, so every change under it is this request's own: <see cref="PendingRenewal.Changed"/>.
/// Everything else is as the old session has it when it ends.
/// </para>
/// </remarks>
internal sealed class KeyRenewal(
    SessionChannel channel,
    SessionWriter writer,
    SessionTakeover takeover,
    SessionListing listing,
    UserLists users,
    RenewalsUnderWay renewals,
    LifecycleQueue lifecycle,
    SessionNames names,
    SessionCookie cookie)
{
    // How often to check whether the response has started: well within the lease.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(SessionMove.LeaseMilliseconds / 10);

    // Long enough to notice that the visitor had left before the response could arrive. Well within the lease, too.
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(150);

    /// <summary>The first step: creates the new session, which the request continues with.</summary>
    public async Task RenewAsync(RequestSession session, HttpContext request, string? user, CancellationToken cancellationToken)
    {
        if (user is { Length: 0 })
        {
            throw new ArgumentException("A user cannot be empty; null leaves the session's user as it is.", nameof(user));
        }

        if (user is not null) user = SessionHashLayout.Normalize(user);
        ThrowIfCookieCannotBeSent(session, request);
        session.WatchResponse(request);
        var state = session.State;
        lock (state.Gate) state.Notice = FailureNotice.None;

        // Nobody else knows this key either: it was made for this very request.
        if (state.Identity.IsNew || session.Renewal is { IsUndone: false })
        {
            await BindAsync(session, user, cancellationToken).ConfigureAwait(false);
            return;
        }

        var moved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!await BeginToMoveAsync(session, moved.Task, cancellationToken).ConfigureAwait(false))
        {
            // Another task of the request has renewed the key meanwhile.
            await RenewAsync(session, request, user, cancellationToken).ConfigureAwait(false);
            return;
        }

        var renewal = new PendingRenewal(request, state.Identity, names.Identify(SessionCookie.NewSessionKey(), isNew: false));
        renewals.Begin(renewal.From.Id, renewal.To.Id); // before anybody can find it
        try
        {
            var waiting = channel.Within(session, cancellationToken);
            do await MakeAsync(session, renewal, user, waiting).ConfigureAwait(false);
            while (!TryMove(session, renewal, user));
            users.Remember(
                renewal.To.IdBytes, renewal.Owner, renewal.Generation, session.Timeouts.Expiry with { Absolute = renewal.TimeToLive });
        }
        catch (Exception)
        {
            lock (state.Gate) state.Stay();
            Remove(session, renewal);
            renewals.Undo(renewal.To.Id);
            throw;
        }
        finally
        {
            moved.SetResult();
        }
    }

    /// <summary>
    /// The request continues with the new session. False if another task of it has seen something else of the old one since that was asked
    /// for: Redis has to judge by that.
    /// </summary>
    private bool TryMove(RequestSession session, PendingRenewal renewal, string? user)
    {
        var state = session.State;
        lock (state.Gate)
        {
            if (renewal.Seen != SeenNow(state) && !state.Sight.Accepts(renewal.OldGeneration)) return false;
            renewal.Request.Response.OnCompleted(() => CompleteAsync(session, renewal));
            state.Moved(renewal.To, renewal.Generation, Environment.TickCount64);
            session.Renewal = renewal;
            if (user is not null)
            {
                state.Listing.LeaveToApplication();
            }
            else if (renewal.Owner is null && listing.UserOf(session) is not null)
            {
                // Nothing was sent for the request's user, or it went to the old key.
                state.Listing.Moved();
                listing.Keep(session, write: null);
                listing.Seen(session);
                session.IsListingWaitedFor = false; // a renewal waits for two round trips, and no more
            }

            return true;
        }
    }

    /// <summary>
    /// The second step, when the response is about to start and the writes are confirmed, or have failed: sets the cookie and ends the old
    /// session.
    /// </summary>
    public async Task FinishAsync(RequestSession session)
    {
        if (session.Renewal is not { IsPending: true } renewal) return;
        var moved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (renewal.Aborted.IsCancellationRequested || !await BeginToFinishAsync(session, moved.Task).ConfigureAwait(false))
        {
            Undo(session, renewal);
            return;
        }

        try
        {
            await FinishAsync(session, renewal).ConfigureAwait(false);
        }
        finally
        {
            lock (session.State.Gate) session.State.Stay();
            moved.SetResult();
        }
    }

    private async Task FinishAsync(RequestSession session, PendingRenewal renewal)
    {
        var headers = renewal.Request.Response.Headers;
        var cookies = headers.SetCookie;
        Exception failure;
        if (session.Cookie!.TryRenew(renewal.Request, renewal.To.SessionKey) is not { } cookie)
        {
            channel.Logger.RenewedCookieHeldBack(renewal.From.Id);
            failure = new InvalidOperationException(
                "The session keeps its key because something removed its new cookie from the response.");
        }
        else
        {
            renewal.Cookie = cookie;
            try
            {
                if (await EndOldAsync(session, renewal).ConfigureAwait(false))
                {
                    await FinishedAsync(session, renewal).ConfigureAwait(false);
                    return;
                }

                lock (session.State.Gate) writer.Refuse(session);
                failure = new SessionEndedException(renewal.From.Id);
            }
            catch (Exception error)
            {
                channel.WritingFailed(session, error);
                failure = error;
            }

            headers.SetCookie = cookies;
        }

        Undo(session, renewal);
        if (channel.Throws) ExceptionDispatchInfo.Throw(failure);
    }

    private void ThrowIfCookieCannotBeSent(RequestSession session, HttpContext request)
    {
        if (request.Response.HasStarted || !session.TryEstablish())
        {
            throw ResponseHasStarted();
        }

        if (session.State.Identity.IsNew) return; // its cookie is set elsewhere
        session.Cookie = cookie.Of(session, request.Request);
        if (!session.Cookie.MayBeSent(request))
        {
            throw new InvalidOperationException(
                "The session cannot be renewed without the visitor's consent: the cookie policy would remove its new cookie. Set "
                + "Cookie.IsEssential if the site cannot work without sessions.");
        }
    }

    private static InvalidOperationException ResponseHasStarted() =>
        new("The session cannot be renewed after the response has started, because its new cookie could not be sent.");

    /// <summary>Confirms the changes and makes sure that nothing is in flight. False if the key was renewed meanwhile.</summary>
    private async Task<bool> BeginToMoveAsync(RequestSession session, Task move, CancellationToken cancellationToken)
    {
        var state = session.State;
        var identity = state.Identity;
        while (true)
        {
            await writer.RetryForCallerAsync(session, cancellationToken).ConfigureAwait(false);
            await WaitForAsync(session.Operation).ConfigureAwait(false);
            await WaitForAsync(session.Move).ConfigureAwait(false);
            lock (state.Gate)
            {
                if (state.Identity != identity) return false;
                if (state.IsMoving || !state.AreChangesConfirmed || !session.Operation.IsCompleted) continue;
                session.Move = move;
                Interlocked.MemoryBarrier(); // a response that starts now sees this, or is seen here
                if (session.IsResponseStarting)
                {
                    session.Move = Task.CompletedTask;
                    throw ResponseHasStarted();
                }

                state.Move();
                return true;
            }
        }

        async Task WaitForAsync(Task task)
        {
            await task.WaitAsync(session.Timeouts.IO, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (!task.IsCompleted) throw new OperationCanceledException("Timed out renewing the session.", new TimeoutException());
        }
    }

    /// <summary>The same for the second step. False if a change was not written: the old session is kept.</summary>
    private async Task<bool> BeginToFinishAsync(RequestSession session, Task move)
    {
        var state = session.State;
        while (true)
        {
            lock (state.Gate)
            {
                if (state.HasEnded || state.Pending is { HaveFailed: true }) return false;
                if (!state.IsMoving && state.AreChangesConfirmed && session.Operation.IsCompleted)
                {
                    state.Move();
                    session.Move = move;
                    return true;
                }
            }

            try
            {
                await writer.ConfirmAsync(session, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception)
            {
                return false; // logged where it happened
            }

            // Another operation may be in flight by then, or the request may be ending the session: wait for that, too.
            var underWay = Task.WhenAll(session.Operation, session.Move);
            await underWay.WaitAsync(session.Timeouts.IO).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!underWay.IsCompleted) return false;
        }
    }

    /// <summary>
    /// Lists the new session for its user and creates it. The list comes first, so that the session can be found at any moment.
    /// </summary>
    private async Task MakeAsync(RequestSession session, PendingRenewal renewal, string? user, Waiting waiting)
    {
        var (state, expiry) = (session.State, session.Timeouts.Expiry);
        renewal.Owner = user;
        while (true)
        {
            var database = await channel.OpenAsync(session, waiting).ConfigureAwait(false);
            var listed = user is null ? Task.FromResult(true) : renewal.Sent(ListedAsync(renewal.To.Id, user, expiry));
            Question question;
            lock (state.Gate)
            {
                question = state.Ask();
                renewal.LockToken = session.Lock?.Token;
            }

            bool isThere = await channel.ReplyAsync(
                session,
                channel.Begin(OperationKind.RenewKey, session),
                renewal.Sent(new SessionMove(database, renewal, expiry).CopyAsync(() => renewal.Seen = SeenNow(state), user)),
                "renewing",
                waiting,
                writes: true).ConfigureAwait(false);
            await channel.ReplyAsync(session, operation: null, listed, "listing", waiting, writes: true).ConfigureAwait(false);
            if (!isThere)
            {
                lock (state.Gate) state.FoundEnded();
                throw new SessionEndedException(renewal.From.Id);
            }

            if (!renewal.WasThere && takeover.IsDue(question))
            {
                await takeover.SettleAsync(session, question, waiting).ConfigureAwait(false);
                continue;
            }

            renewal.Owner = user ?? renewal.OldOwner;
            if (renewal.Owner is null || (user is not null && renewal.TimeToLive >= expiry.Idle / 2)) return;

            // It is already bound; or the absolute timeout is near, and the list does not need the entry much longer than that.
            var again = renewal.Sent(ListedAsync(renewal.To.Id, renewal.Owner, expiry with { Absolute = renewal.TimeToLive }));
            await channel.ReplyAsync(session, operation: null, again, "listing", waiting, writes: true).ConfigureAwait(false);
            return;
        }
    }

    /// <summary>What the request has seen, as the scripts want to know it.</summary>
    private static RedisValue SeenNow(SessionState state)
    {
        lock (state.Gate)
        {
            if (state.IsAbandoned) return SessionGeneration.None;
            return state.HasEnded ? SessionMove.WasRenewed + state.Sight.LastSeen : state.Generation;
        }
    }

    private async Task<bool> ListedAsync(string id, string user, SessionExpiry expiry)
    {
        await users.ListAsync(id, user, expiry).ConfigureAwait(false);
        return true;
    }

    /// <summary>Carries over what others have written meanwhile and ends the old session. False if it or the new one has ended.</summary>
    private async Task<bool> EndOldAsync(RequestSession session, PendingRenewal renewal)
    {
        var waiting = channel.Within(session, CancellationToken.None);
        var database = await channel.OpenAsync(session, waiting).ConfigureAwait(false);
        return await channel.ReplyAsync(
            session,
            channel.Begin(OperationKind.RenewKey, session),
            renewal.Sent(new SessionMove(database, renewal, session.Timeouts.Expiry).CarryOverAsync()),
            "renewing",
            waiting,
            writes: true).ConfigureAwait(false);
    }

    private async Task FinishedAsync(RequestSession session, PendingRenewal renewal)
    {
        var expiry = session.Timeouts.Expiry;
        renewal.IsFinished = true;
        channel.Logger.SessionRenewed(renewal.From.Id, renewal.To.Id);
        channel.Metrics.SessionRenewed();
        if (renewal.WasThere) lifecycle.Renewed(renewal.To.Id, renewal.From.Id, renewal.Owner);
        else lifecycle.Created(renewal.To.Id, renewal.Owner);
        _ = SealWhenStartedAsync(renewal, expiry);

        // The old cookie must no longer find what AddSession left of the session, either.
        await takeover.EndOrLogAsync(renewal.From, channel.Within(session, CancellationToken.None)).ConfigureAwait(false);
    }

    /// <summary>A response can take longer than the lease: once it has started, the visitor has the new cookie.</summary>
    private async Task SealWhenStartedAsync(PendingRenewal renewal, SessionExpiry expiry)
    {
        bool? isCookieSent = false;
        while (isCookieSent is false)
        {
            await Task.Delay(Look).ConfigureAwait(false);
            isCookieSent = renewal.IsCookieSent;
        }

        if (isCookieSent is true && renewal.TryEnd()) await SealAsync(renewal, expiry).ConfigureAwait(false);
    }

    /// <summary>
    /// The response has ended. If it was sent, the old session is gone for good. If it never started, the new one is removed. If the
    /// visitor left in between, nobody knows which cookie the browser has, and both lead to a whole session; so they do if something further
    /// out removed the new cookie from the response.
    /// </summary>
    private Task CompleteAsync(RequestSession session, PendingRenewal renewal)
    {
        if (!renewal.IsFinished)
        {
            renewals.Undo(renewal.To.Id);
            if (session.Renewal == renewal && renewal.IsPending) Undo(session, renewal);
            return Task.CompletedTask;
        }

        renewals.End(renewal.To.Id);
        bool isCookieLost = !renewal.HasCookie;
        if (isCookieLost) channel.Logger.RenewedCookieHeldBack(renewal.From.Id);
        if (!renewal.TryEnd() || renewal.Aborted.IsCancellationRequested || isCookieLost) return Task.CompletedTask;
        if (!renewal.IsConnectionKept) return SealAsync(renewal, session.Timeouts.Expiry);
        _ = SealUnlessGoneAsync();
        return Task.CompletedTask;

        async Task SealUnlessGoneAsync()
        {
            await Task.Delay(Farewell).ConfigureAwait(false);
            if (!renewal.ConnectionClosed.IsCancellationRequested) await SealAsync(renewal, session.Timeouts.Expiry).ConfigureAwait(false);
        }
    }

    private async Task SealAsync(PendingRenewal renewal, SessionExpiry expiry)
    {
        if (channel.OpenDatabase is not { } database) return;
        try
        {
            // However often a request that cannot know better refreshes what is left. Not longer than another session under this key lives:
            // the end of that one is to be told.
            long afterwards = Math.Max(expiry.Life, SessionOwner.LeastAfterwards);
            users.TellNoEnd(renewal.From.Id, SessionMove.TombstoneMilliseconds(expiry) + afterwards);
            await new SessionMove(database, renewal, expiry).SealAsync().ConfigureAwait(false);

            // Not earlier: if it had to be put back, "sign out everywhere" would have to find it.
            if (renewal.OldOwner is not null) users.Forget(renewal.From.Id, renewal.OldOwner);
        }
        catch (Exception error)
        {
            channel.Logger.RenewalNotSealed(renewal.From.Id, error);
        }
    }

    /// <summary>The old session stays as it is and the new one is removed; this request no longer has a session.</summary>
    private void Undo(RequestSession session, PendingRenewal renewal)
    {
        renewal.TryEnd();
        renewal.IsUndone = true; // who abandons the session now means the old one
        lock (session.State.Gate) session.State.FoundEnded();
        Remove(session, renewal);
        if (renewal.LockToken is { } token) _ = UnlockAsync().Observed();

        // The request releases what it holds under the new key, and cannot any more: its lock of the old session would stay for its lease.
        async Task UnlockAsync()
        {
            await renewal.UnderWay.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var database = await channel.OpenAsync(session, Waiting.Asynchronously, retry: true).ConfigureAwait(false);
            await LockScripts.GiveUp.RunAsync(database, renewal.From.RedisKey, [channel.NameOf(names.LockChannel), token]).ConfigureAwait(false);
        }
    }

    private void Remove(RequestSession session, PendingRenewal renewal)
    {
        _ = RemoveAsync().Observed();

        async Task RemoveAsync()
        {
            // After what is in flight: giving up the wait does not take back what was sent.
            await renewal.UnderWay.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var database = await channel.OpenAsync(session, Waiting.Asynchronously, retry: true).ConfigureAwait(false);
            var hash = new SessionHash(database, renewal.To.RedisKey);
            await hash.DeleteAsync(renewal.Generation, Waiting.Asynchronously).ConfigureAwait(false);
            if (renewal.Owner is not null) users.Forget(renewal.To.Id, renewal.Owner);
        }
    }

    /// <summary>Lists the session for a user before binding it, pipelined with the change: one round trip.</summary>
    private async Task BindAsync(RequestSession session, string? user, CancellationToken cancellationToken)
    {
        var state = session.State;
        if (user is null)
        {
            await writer.RetryForCallerAsync(session, cancellationToken).ConfigureAwait(false);
            return;
        }

        Task<string?> asking;
        Task<bool> listed;
        lock (state.Gate)
        {
            state.Collect().Bind(user);
            state.Listing.LeaveToApplication();
            asking = users.OwnerOfAsync(session.Id).Observed();
            listed = ListedAsync(session.Id, user, session.Timeouts.Expiry).Observed();
        }

        var waiting = channel.Within(session, cancellationToken);
        await writer.RetryForCallerAsync(session, cancellationToken).ConfigureAwait(false);
        await channel.ReplyAsync(session, operation: null, listed, "listing", waiting, writes: true).ConfigureAwait(false);
        string? before = await channel.ReplyAsync(session, operation: null, asking, "listing", waiting, writes: true).ConfigureAwait(false);
        if (before is not null && before != user) users.Forget(session.Id, before);
        users.Remember(state.Identity.IdBytes, user, state.Generation, session.Timeouts.Expiry);
        if (session.Renewal is { } renewal) renewal.Owner = user;
    }
}
