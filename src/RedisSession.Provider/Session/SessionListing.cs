using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// Keeps the session of a request in its user's list, pipelined with what the request sends anyway: see <see cref="UserLists"/>. All but
/// <see cref="Settle"/> is called inside the lock of the session's state.
/// </summary>
internal sealed class SessionListing(UserLists users)
{
    /// <summary>
    /// Sent after the first command about the session and the write that creates it, so that nothing waits for another round trip.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="write">What was sent just before and may create it; null if nothing was.</param>
    public void Keep(RequestSession session, Task? write)
    {
        var state = session.State;
        string? user = UserOf(session);
        bool mayCreate = write is not null && state.IsAbsent;
        if (!state.Listing.LookAfter(mayCreate)) return;
        if (state.Identity.IsNew && user is null)
        {
            // It cannot belong to anybody yet. The reply may be there already.
            Seen(session, isCreated: true);
            return;
        }

        if (users.IsUpToDate(state.Identity.IdBytes, user, state.Generation, session.Timeouts.Expiry, out bool isNew) && !mayCreate) return;
        Send(session, write, isWaitedFor: (isNew || mayCreate) && user is not null);
    }

    /// <summary>
    /// An answer has shown which generation of the session this is. If it is not the one listed last, it is listed now: the session has
    /// ended since, and begun again.
    /// </summary>
    public void Seen(RequestSession session, bool isCreated = false)
    {
        var state = session.State;
        if (state.Generation.IsNull || state.HasEnded || !state.Listing.MayLack(isCreated)) return;
        string? user = state.Listing.User;
        bool isNobodys = isCreated && user is null;
        if (isNobodys) users.Remember(state.Identity.IdBytes, user, state.Generation, session.Timeouts.Expiry);
        if (isNobodys || users.Knows(state.Identity.IdBytes, user, state.Generation)) state.Listing.Send(isCreated);
        else Send(session, write: null, isWaitedFor: user is not null);
    }

    /// <summary>The user that the request names, asked until it names one.</summary>
    public string? UserOf(RequestSession session)
    {
        ref var listing = ref session.State.Listing;
        return listing.User ??= !listing.IsLookedAfter && session.Request is { } request ? users.UserOf(request, session) : null;
    }

    /// <summary>
    /// Asks the request one last time who it is, before its response starts or it ends: a user authenticated after the session was first
    /// used is known now. What this sends is waited for together with unconfirmed writes, or not at all.
    /// </summary>
    public void Settle(RequestSession session, HttpContext request)
    {
        var state = session.State;
        lock (state.Gate)
        {
            if (state.Listing.IsSettled) return;
            state.Listing.IsSettled = true;
            bool isUnused = state.Identity.IsNew && !state.HasAsked && state.Pending?.Collected is null;
            if (state.Listing.User is not null || isUnused) return;
        }

        if (users.UserOf(request, session) is not { } user) return;
        lock (state.Gate)
        {
            state.Listing.User ??= user;
            bool comesWithAnother = !state.Listing.IsLookedAfter || state.Pending?.Collected is not null;
            if (comesWithAnother || state.HasEnded) return;
            Keep(session, write: null);
            session.IsListingWaitedFor &= !state.AreChangesConfirmed;
        }
    }

    private void Send(RequestSession session, Task? write, bool isWaitedFor)
    {
        var state = session.State;
        byte number = state.Listing.Send(withCreation: write is not null || !state.Generation.IsNull);
        session.IsListingWaitedFor = isWaitedFor;
        session.Listing = KeepAsync(session, write, number);
    }

    /// <summary>
    /// Where there was no session, whatever the reason (the write created none, or failed, or is sent again on its own), one that begins
    /// later in the request is listed then, or now if it has begun meanwhile.
    /// </summary>
    private async Task KeepAsync(RequestSession session, Task? write, byte number)
    {
        var state = session.State;
        var (identity, generation, expiry) = (state.Identity, state.Generation, session.Timeouts.Expiry);
        bool isThere = await users.KeepAsync(session.Id, state.Listing.User, expiry, write, () => state.GenerationNow).ConfigureAwait(false);
        if (isThere || !generation.IsNull) return; // or the one that was seen has ended
        Task later;
        lock (state.Gate)
        {
            if (state.Identity != identity) return;
            var own = session.Listing;
            state.Listing.FoundNothing(number);
            Seen(session);
            later = session.Listing == own ? Task.CompletedTask : session.Listing;
        }

        await later.ConfigureAwait(false);
    }
}
