using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>Ends the session of a request: see <see cref="HttpContextSessionExtensions.AbandonSessionAsync"/>.</summary>
internal sealed class SessionEnding(SessionChannel channel, SessionTakeover takeover, UserLists users, LifecycleQueue lifecycle, SessionCookie cookie)
{
    public async Task AbandonAsync(RequestSession session, HttpContext request, CancellationToken cancellationToken)
    {
        var state = session.State;
        var expiring = request.Request.Cookies.Count == 0 ? null : cookie.Of(session, request.Request);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await HoldAsync(session, over.Task, cancellationToken).ConfigureAwait(false);
        try
        {
            await EndAsync(session, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (state.Gate) state.Stay();
            over.SetResult();
        }

        if (!request.Response.HasStarted && expiring?.IsIn(request.Request) == true) expiring.ExpireWithResponse(request);
    }

    /// <summary>
    /// Waits for what is in flight, and makes sure that nothing else is sent before the session has ended: a write could recreate it after
    /// the removal, and its listing could list it.
    /// </summary>
    private static async Task HoldAsync(RequestSession session, Task over, CancellationToken cancellationToken)
    {
        var state = session.State;
        lock (state.Gate) state.DropCollected();
        while (true)
        {
            var underWay = Task.WhenAll(session.Confirmation, session.Operation, session.Move, session.Listing);
            await underWay.WaitAsync(session.Timeouts.IO, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            lock (state.Gate)
            {
                bool isQuiet = session.Confirmation.IsCompleted && session.Operation.IsCompleted && session.Listing.IsCompleted;
                if (underWay.IsCompleted && (state.IsMoving || !isQuiet)) continue; // something else has begun
                state.Hold();
                session.Move = over;
                return;
            }
        }
    }

    private async Task EndAsync(RequestSession session, CancellationToken cancellationToken)
    {
        var state = session.State;
        var identity = state.Identity;
        string? user = await EndAsync(session, identity, cancellationToken).ConfigureAwait(false);
        if (session.Renewal is { IsFinished: false, From: var old })
        {
            // Nobody has heard of the new key, and the old session has not ended yet: that is the one to end, for handlers too.
            identity = old;
            user = await EndAsync(session, old, cancellationToken).ConfigureAwait(false);
        }

        lock (state.Gate)
        {
            state.End();
            session.Renewal = null;
        }

        channel.Logger.SessionAbandoned(identity.Id);
        if (user is null) return; // there was no session
        channel.Metrics.SessionEnded(SessionEndReason.Abandoned);
        lifecycle.Ended(identity.Id, user, SessionEndReason.Abandoned);
    }

    /// <summary>The session's owner, or empty; null if there was no session.</summary>
    private async Task<string?> EndAsync(RequestSession session, SessionIdentity identity, CancellationToken cancellationToken)
    {
        var waiting = channel.Within(session, cancellationToken);
        var database = await channel.OpenAsync(session, waiting, retry: true).ConfigureAwait(false);
        var hash = new SessionHash(database, identity.RedisKey);
        var ending = takeover.EndAsync(identity, Waiting.Asynchronously).Observed();
        string? user = await channel.ReplyAsync(
            session, channel.Begin(OperationKind.Abandon, session), hash.EndAsync(), "abandoning", waiting).ConfigureAwait(false);
        if (await channel.ReplyAsync(session, operation: null, ending, "abandoning", waiting).ConfigureAwait(false))
        {
            // Another request may have taken it over between the two.
            string? again = await channel.ReplyAsync(session, operation: null, hash.EndAsync(), "abandoning", waiting).ConfigureAwait(false);
            user ??= again;
        }

        if (!string.IsNullOrEmpty(user)) users.Forget(identity.Id, user);
        return user;
    }
}
