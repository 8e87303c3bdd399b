using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Gives a session a new key, in two steps: see <see cref="HttpContextSessionExtensions.RenewSessionAsync"/>.</summary>
/// <remarks>
/// <para>
/// The call makes the new session. When the response starts, and what was written is confirmed, the new cookie goes into it and the old
/// session ends. A request that does not get that far leaves the old session as it is, and the new one is removed. So whatever fails, and
/// whatever the application dies in, the visitor's cookie leads to the whole session.
/// </para>
/// <para>
/// Nobody but this request knows the new key until then, so what has changed under it was changed by this request:
/// <see cref="PendingRenewal.Changed"/>. Everything else is as the old session has it at its end.
/// </para>
/// </remarks>
internal sealed class KeyRenewal(
    SessionChannel channel,
    SessionWriter writer,
    SessionTakeover takeover,
    UserLists users,
    LifecycleQueue lifecycle,
    SessionNames names,
    SessionCookie cookie)
{
    // How long a request that comes late is told that the session has ended.
    private const long TombstoneMilliseconds = 60_000;

    // From the end of the old session until its cookie could be used again if the response had not been sent.
    private const long LeaseMilliseconds = 2_000;

    // How long a second renewal of the same session, which began before the first ended, finds what that one has left.
    private const long ParkedMilliseconds = 60_000;

    // Fields that travel in one portion, where the application has to carry them.
    private const int PortionSize = 500;

    /// <summary>The first step: makes the new session, which the request goes on with.</summary>
    public async Task RenewAsync(RequestSession session, HttpContext request, string? user, CancellationToken cancellationToken)
    {
        if (user is { Length: 0 })
        {
            throw new ArgumentException("A user cannot be empty; null leaves the session's user as it is.", nameof(user));
        }

        if (user is not null) user = SessionHashLayout.Normalize(user);
        ThrowIfCookieCannotBeSent(session, request);
        var state = session.State;
        lock (state.Gate) state.FailureIsTold = false;

        // Nobody else knows this key either: it was made for this very request.
        if (state.Identity.IsNew || session.Renewal is not null)
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
        try
        {
            await MakeAsync(session, renewal, user, channel.Within(session, cancellationToken)).ConfigureAwait(false);
            users.Remember(renewal.To, renewal.Owner, renewal.Generation, new(session.Timeouts.Expiry.Idle, renewal.TimeToLive));
            request.Response.OnCompleted(() => CompleteAsync(session, renewal));
            lock (state.Gate)
            {
                state.Moved(renewal.To, renewal.Generation, Environment.TickCount64);
                if (user is not null) state.Listing.LeaveToApplication();
                session.Renewal = renewal;
            }

            session.WatchResponse(request);
        }
        catch (Exception)
        {
            lock (state.Gate) state.Stay();
            Remove(session, renewal);
            throw;
        }
        finally
        {
            moved.SetResult();
        }
    }

    /// <summary>
    /// The second step, when the response is about to start and what was written is confirmed, or has failed: the cookie, and the end of the
    /// old session.
    /// </summary>
    public async Task FinishAsync(RequestSession session)
    {
        var state = session.State;
        if (session.Renewal is not { IsFinished: false } renewal) return;
        var response = renewal.Request.Response;
        var cookies = response.Headers.SetCookie;
        bool isWritten;
        lock (state.Gate) isWritten = state.AreChangesConfirmed && !state.HasEnded;
        if (isWritten && !renewal.Request.RequestAborted.IsCancellationRequested)
        {
            if (session.Cookie!.TryRenew(renewal.Request, renewal.To.SessionKey))
            {
                try
                {
                    if (await EndOldAsync(session, renewal).ConfigureAwait(false))
                    {
                        Finished(session, renewal);
                        return;
                    }

                    lock (state.Gate) writer.Refuse(session);
                }
                catch (Exception error)
                {
                    response.Headers.SetCookie = cookies;
                    Undo(session, renewal);
                    channel.WritingFailed(session, error);
                    if (channel.Throws) throw;
                    return;
                }

                response.Headers.SetCookie = cookies;
            }
            else
            {
                channel.Logger.RenewedCookieHeldBack(renewal.From.Id);
            }
        }

        Undo(session, renewal);
    }

    private void ThrowIfCookieCannotBeSent(RequestSession session, HttpContext request)
    {
        if (request.Response.HasStarted || !session.TryEstablish())
        {
            throw new InvalidOperationException(
                "The session cannot be renewed after the response has started: its new cookie could not be sent.");
        }

        if (session.State.Identity.IsNew) return; // its cookie is another's to set
        session.Cookie = cookie.Of(session, request.Request);
        if (!session.Cookie.MayBeSent(request))
        {
            throw new InvalidOperationException(
                "The session cannot be renewed without the visitor's consent: the cookie policy would hold its new cookie back. Set "
                + "Cookie.IsEssential if the site cannot work without sessions.");
        }
    }

    /// <summary>Confirms what was changed, and sees to it that nothing is under way. False when the key was renewed meanwhile.</summary>
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
                if (state.HasEnded) throw new SessionEndedException(session.Id);
                if (state.IsMoving || !state.AreChangesConfirmed || !session.Operation.IsCompleted) continue;
                state.Move();
                session.Move = move;
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

    /// <summary>Lists the new session for its user, and makes it. Whoever is in the list before the session is his is found at any moment.</summary>
    private async Task MakeAsync(RequestSession session, PendingRenewal renewal, string? user, Waiting waiting)
    {
        renewal.Owner = user;
        while (true)
        {
            var database = await channel.OpenAsync(session, waiting).ConfigureAwait(false);
            var listing = user is null ? Task.FromResult(true) : ListedAsync(renewal.To.Id, user, session.Timeouts.Expiry);
            Question question;
            lock (session.State.Gate) question = session.State.Ask();
            renewal.OldGeneration = question.Sight.Generation;
            bool isThere = await channel.ReplyAsync(
                session,
                channel.Begin(OperationKind.RenewKey, session),
                CopyAsync(database, session, renewal, user).Observed(),
                "renewing",
                waiting,
                writes: true).ConfigureAwait(false);
            await channel.ReplyAsync(session, operation: null, listing.Observed(), "listing", waiting, writes: true).ConfigureAwait(false);
            if (!isThere)
            {
                lock (session.State.Gate) session.State.FoundEnded();
                throw new SessionEndedException(renewal.From.Id);
            }

            if (!renewal.WasThere && takeover.IsDue(question))
            {
                await takeover.SettleAsync(session, question, waiting).ConfigureAwait(false);
                continue;
            }

            if (renewal.Owner is null || (user is not null && renewal.TimeToLive >= session.Timeouts.Expiry.Idle / 2)) return;

            // It is bound already; or the absolute timeout is near, and the list has no use for the entry much longer than that.
            var again = ListedAsync(renewal.To.Id, renewal.Owner, new(renewal.TimeToLive, Absolute: 0)).Observed();
            await channel.ReplyAsync(session, operation: null, again, "listing", waiting, writes: true).ConfigureAwait(false);
            return;
        }
    }

    private async Task<bool> ListedAsync(string id, string user, SessionExpiry expiry)
    {
        await users.ListAsync(id, user, expiry).ConfigureAwait(false);
        return true;
    }

    /// <summary>False when the session has ended.</summary>
    private static async Task<bool> CopyAsync(IDatabase database, RequestSession session, PendingRenewal renewal, string? user)
    {
        var expiry = session.Timeouts.Expiry;
        RedisValue seen = RedisScript.OrEmpty(renewal.OldGeneration);
        if (IsMovedByRedis(database, renewal))
        {
            var reply = await RenewalScripts.Begin.RunAsync(
                database,
                [renewal.From.RedisKey, renewal.To.RedisKey],
                [expiry.Idle, expiry.Absolute, seen, renewal.Generation, RedisScript.OrEmpty(user)]).ConfigureAwait(false);
            if (reply.IsNull) return false;
            var generation = (RedisValue)reply[0];
            renewal.OldGeneration = generation.IsNullOrEmpty ? RedisValue.Null : generation;
            renewal.OldOwner = (string?)reply[1] is { Length: > 0 } owner ? owner : null;
            renewal.TimeToLive = (long)reply[2];
            renewal.WasThere = (int)reply[3] == 1;
        }
        else
        {
            renewal.Copied = new(StringComparer.Ordinal);
            bool isFirst = true;
            await foreach (var portion in PortionsAsync(database, renewal.From.RedisKey, seen, renewal).ConfigureAwait(false))
            {
                if (portion is null) return false;
                renewal.WasThere |= portion.Count > 0;
                if (portion.FirstOrDefault(field => field.Name == SessionHashLayout.User) is { Value: { IsNull: false } owner })
                    renewal.OldOwner = owner;
                var fields = portion.Where(field => !IsOfOurs(field.Name) || (user is null && field.Name != SessionHashLayout.Generation)).ToList();
                renewal.Copied.UnionWith(fields.Select(field => field.Name.ToString()));
                long? left = await WriteAsync(database, renewal, expiry, user, isFirst, fields, []).ConfigureAwait(false);
                if (left is null) return false;
                renewal.TimeToLive = left.Value;
                isFirst = false;
            }
        }

        renewal.Owner = user ?? renewal.OldOwner;
        return true;
    }

    /// <summary>Carries over what others have written meanwhile, and ends the old session. False where it, or the new one, has ended.</summary>
    private async Task<bool> EndOldAsync(RequestSession session, PendingRenewal renewal)
    {
        var database = await channel.OpenAsync(session, channel.Within(session, CancellationToken.None)).ConfigureAwait(false);
        var ending = CarryOverAsync(database, session, renewal).Observed();
        return await channel.ReplyAsync(
            session,
            channel.Begin(OperationKind.RenewKey, session),
            ending,
            "renewing",
            channel.Within(session, CancellationToken.None),
            writes: true).ConfigureAwait(false);
    }

    private async Task<bool> CarryOverAsync(IDatabase database, RequestSession session, PendingRenewal renewal)
    {
        var parked = names.ParkedKeyOf(renewal.From);
        RedisValue seen = RedisScript.OrEmpty(renewal.OldGeneration);
        long tombstone = Math.Min(TombstoneMilliseconds, session.Timeouts.Expiry.Idle);
        if (renewal.Copied is not { } copied)
        {
            var reply = await RenewalScripts.Finish.RunAsync(
                database,
                [renewal.From.RedisKey, renewal.To.RedisKey, parked],
                [
                    seen, renewal.Generation, renewal.IsCleared, tombstone, LeaseMilliseconds,
                    .. renewal.Changed.Select(field => (RedisValue)field),
                ]).ConfigureAwait(false);
            return !reply.IsNull && (int)reply == 1;
        }

        RedisKey[] oldAndParked = [renewal.From.RedisKey, parked];
        var end = await RenewalScripts.Park.RunAsync(database, oldAndParked, [seen, tombstone, LeaseMilliseconds]).ConfigureAwait(false);
        if ((int)end != 1) return false;
        if (renewal.IsCleared) return true;
        await foreach (var portion in PortionsAsync(database, parked, RedisValue.EmptyString, renewal).ConfigureAwait(false))
        {
            if (portion is null) return false;
            copied.ExceptWith(portion.Select(field => field.Name.ToString()));
            var fields = portion.Where(field => !IsOfOurs(field.Name) && !renewal.HasChanged(field.Name.ToString())).ToList();
            if (!await CarryAsync(fields, []).ConfigureAwait(false)) return false;
        }

        // What is left was copied, and others have removed it since.
        copied.RemoveWhere(field => field.StartsWith('@') && !field.StartsWith("@@", StringComparison.Ordinal));
        copied.ExceptWith(renewal.Changed);
        return copied.Count == 0 || await CarryAsync([], copied).ConfigureAwait(false);

        async Task<bool> CarryAsync(IReadOnlyList<Field> fields, IReadOnlyCollection<string> removed) =>
            await WriteAsync(database, renewal, session.Timeouts.Expiry, user: null, isFirst: false, fields, removed)
                .ConfigureAwait(false) is not null;
    }

    /// <summary>
    /// Redis moves the data itself where both keys are on one server, and the values are not encrypted for the id of their session.
    /// </summary>
    private static bool IsMovedByRedis(IDatabase database, PendingRenewal renewal) =>
        renewal.To.Protector is null
        && database.Multiplexer.HashSlot(renewal.From.RedisKey) == database.Multiplexer.HashSlot(renewal.To.RedisKey);

    /// <summary>A session in portions, its values as they are to be under the new key; null when it has ended.</summary>
    private static async IAsyncEnumerable<IReadOnlyList<Field>?> PortionsAsync(
        IDatabase database, RedisKey key, RedisValue seen, PendingRenewal renewal)
    {
        RedisValue cursor = 0;
        do
        {
            var reply = await RenewalScripts.Read.RunAsync(database, key, [seen, cursor, PortionSize]).ConfigureAwait(false);
            if (reply.IsNull)
            {
                yield return null;
                yield break;
            }

            cursor = (RedisValue)reply[0];
            var generation = (RedisValue)reply[1];
            if (!generation.IsNullOrEmpty) renewal.OldGeneration = seen = generation;
            var content = (RedisValue[])reply[2]!;
            var expiries = (RedisValue[])reply[3]!;
            var portion = new List<Field>(content.Length / 2);
            for (int i = 0; i < content.Length; i += 2)
            {
                long expiry = expiries.Length > i / 2 ? (long)expiries[i / 2] : -1;
                portion.Add(new(content[i], Recode(content[i], content[i + 1], renewal), Math.Max(expiry, 0)));
            }

            yield return portion;
        }
        while (cursor != 0);
    }

    /// <summary>How many milliseconds the new session has to live; null when it has ended.</summary>
    private static async Task<long?> WriteAsync(
        IDatabase database,
        PendingRenewal renewal,
        SessionExpiry expiry,
        string? user,
        bool isFirst,
        IReadOnlyList<Field> fields,
        IReadOnlyCollection<string> removed)
    {
        var arguments = new List<RedisValue>(6 + (3 * fields.Count) + removed.Count)
        {
            expiry.Idle, expiry.Absolute, renewal.Generation, RedisScript.OrEmpty(user), isFirst, fields.Count,
        };
        foreach (var field in fields) arguments.AddRange([field.Name, field.Value, field.ExpiresAt]);
        arguments.AddRange(removed.Select(field => (RedisValue)field));
        var reply = await RenewalScripts.Write.RunAsync(database, renewal.To.RedisKey, [.. arguments]).ConfigureAwait(false);
        return reply.IsNull ? null : (long)reply;
    }

    private static RedisValue Recode(RedisValue name, RedisValue value, PendingRenewal renewal)
    {
        if (renewal.From.Protector is not { } old || SessionHashLayout.SessionKeyOf(name) is null) return value;
        return old.Unprotect((byte[]?)value) is { } plain ? renewal.To.Protector!.Protect(plain) : value;
    }

    private static bool IsOfOurs(RedisValue name) => SessionHashLayout.SessionKeyOf(name) is null;

    private void Finished(RequestSession session, PendingRenewal renewal)
    {
        renewal.IsFinished = true;
        if (renewal.OldOwner is not null) users.Forget(renewal.From.Id, renewal.OldOwner);
        _ = takeover.EndOrLogAsync(renewal.From, channel.Within(session, CancellationToken.None));
        channel.Logger.SessionRenewed(renewal.From.Id, renewal.To.Id);
        channel.Metrics.SessionRenewed();
        if (renewal.WasThere) lifecycle.Renewed(renewal.To.Id, renewal.From.Id, renewal.Owner);
        else lifecycle.Created(renewal.To.Id, renewal.Owner);
    }

    /// <summary>
    /// The response has ended. If it was sent, the old session is gone for good. If it never started, the new one is removed. In between
    /// nobody knows which cookie the visitor has, and both lead to a whole session.
    /// </summary>
    private async Task CompleteAsync(RequestSession session, PendingRenewal renewal)
    {
        if (!renewal.IsFinished)
        {
            if (session.Renewal == renewal) Undo(session, renewal);
            return;
        }

        if (renewal.Request.RequestAborted.IsCancellationRequested || channel.OpenDatabase is not { } database) return;
        try
        {
            await RenewalScripts.Seal.RunAsync(database, [renewal.From.RedisKey, names.ParkedKeyOf(renewal.From)], [ParkedMilliseconds])
                .ConfigureAwait(false);
        }
        catch (Exception error)
        {
            channel.Logger.RenewalNotSealed(renewal.From.Id, error);
        }
    }

    /// <summary>The old session stays as it is, and the new one is removed; this request has none any more.</summary>
    private void Undo(RequestSession session, PendingRenewal renewal)
    {
        session.Renewal = null;
        lock (session.State.Gate) session.State.FoundEnded();
        Remove(session, renewal);
    }

    private void Remove(RequestSession session, PendingRenewal renewal)
    {
        _ = RemoveAsync().Observed();

        async Task RemoveAsync()
        {
            // Behind what may be under way: the connection keeps the order.
            var database = await channel.OpenAsync(session, Waiting.Asynchronously, retry: true).ConfigureAwait(false);
            await new SessionHash(database, renewal.To.RedisKey).DeleteAsync(renewal.Generation, Waiting.Asynchronously).ConfigureAwait(false);
            if (renewal.Owner is not null) users.Forget(renewal.To.Id, renewal.Owner);
        }
    }

    /// <summary>
    /// Binds the session to a user, who has it in his list before it is his, in the flight of the change: one round trip.
    /// </summary>
    private async Task BindAsync(RequestSession session, string? user, CancellationToken cancellationToken)
    {
        var state = session.State;
        if (user is null)
        {
            await writer.RetryForCallerAsync(session, cancellationToken).ConfigureAwait(false);
            return;
        }

        Task<string?> asking;
        Task<bool> listing;
        lock (state.Gate)
        {
            state.Collect().Bind(user);
            state.Listing.LeaveToApplication();
            asking = users.OwnerOfAsync(session.Id).Observed();
            listing = ListedAsync(session.Id, user, session.Timeouts.Expiry).Observed();
        }

        var waiting = channel.Within(session, cancellationToken);
        await writer.RetryForCallerAsync(session, cancellationToken).ConfigureAwait(false);
        await channel.ReplyAsync(session, operation: null, listing, "listing", waiting, writes: true).ConfigureAwait(false);
        string? before = await channel.ReplyAsync(session, operation: null, asking, "listing", waiting, writes: true).ConfigureAwait(false);
        if (before is not null && before != user) users.Forget(session.Id, before);
        users.Remember(state.Identity, user, state.Generation, session.Timeouts.Expiry);
        if (session.Renewal is { } renewal) renewal.Owner = user;
    }

    /// <summary>A field with its value and, in unix milliseconds, when it disappears by itself; 0 when it does not.</summary>
    private readonly record struct Field(RedisValue Name, RedisValue Value, long ExpiresAt);
}
