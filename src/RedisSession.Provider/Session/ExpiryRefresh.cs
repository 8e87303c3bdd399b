namespace RedisSession.Provider;

/// <summary>
/// Resets the idle timeout of a session that is used: with the first command of a request, and once more when the request has run for a
/// while, so that the timeout counts from its end. A session that this process refreshed within the <c>RefreshInterval</c> is skipped; each
/// TTL is that much longer than the idle timeout. Nothing waits for a refresh.
/// </summary>
internal sealed class ExpiryRefresh(SessionChannel channel, SessionListing listing, SessionTakeover takeover, ErrorReports errors)
{
    private readonly RecentRefreshes _recent = new();

    /// <summary>Pipelined with a question. Called inside the lock.</summary>
    public void WithQuestion(RequestSession session, SessionHash hash)
    {
        var state = session.State;
        bool isFirst = state.RefreshedAt is null;
        long now = Environment.TickCount64;
        if (!isFirst && now - state.RefreshedAt < session.Timeouts.PauseInRequest) return;
        if (!IsRecent(session, now)) Send(session, hash, now);
        if (isFirst) listing.Keep(session, write: null);
    }

    /// <summary>
    /// True if a write need not set the TTL: it was set recently. Otherwise notes that the write does. Called inside the lock.
    /// </summary>
    public bool IsRecentForWrite(RequestSession session)
    {
        long now = Environment.TickCount64;
        if (IsRecent(session, now)) return true;
        Note(session, now);
        return false;
    }

    /// <summary>At the end of a request, and on an explicit commit: refreshes a session that was unused or refreshed a while ago.</summary>
    public void AtEnd(RequestSession session)
    {
        var state = session.State;
        if (state.Identity.IsNew && !state.HasAsked) return; // there is no session
        if (state.Failure is not null || state.HasEnded) return;
        long now = Environment.TickCount64;
        if (state.RefreshedAt is { } at && now - at < session.Timeouts.PauseInRequest) return;
        _ = FollowAsync(session.Id, RefreshAsync(session, now));
    }

    private async Task RefreshAsync(RequestSession session, long now)
    {
        var state = session.State;
        var database = await channel.OpenAsync(session, Waiting.Asynchronously).ConfigureAwait(false);
        Task<bool>? looking = null;
        Question question;
        lock (state.Gate)
        {
            question = state.Ask();
            var hash = new SessionHash(database, question.Identity.RedisKey);
            if (takeover.IsDue(question))
            {
                // AddSession would have refreshed the blob. Nothing else does now, so it is taken over here.
                Note(session, now);
                looking = hash.RefreshAsync(session.Timeouts.Expiry, channel.IsGarnet);
                listing.Keep(session, write: null);
            }
            else
            {
                WithQuestion(session, hash);
            }

            session.IsListingWaitedFor = false;
        }

        if (looking is not null && !await looking.ConfigureAwait(false))
            await takeover.HasTakenOverAsync(session, question, Waiting.Asynchronously).ConfigureAwait(false);
    }

    private bool IsRecent(RequestSession session, long now)
    {
        var timeouts = session.Timeouts;
        if (timeouts.RefreshInterval == 0) return false;
        if (_recent.Find(session.State.Identity.IdBytes, timeouts.Expiry.Idle) is not { } at || now - at >= timeouts.RefreshInterval) return false;
        session.State.Refreshed(at);
        return true;
    }

    private void Note(RequestSession session, long now)
    {
        session.State.Refreshed(now);
        if (session.Timeouts.RefreshInterval > 0) _recent.Note(session.State.Identity.IdBytes, session.Timeouts.Expiry.Idle, now);
    }

    private void Send(RequestSession session, SessionHash hash, long now)
    {
        Note(session, now);
        _ = FollowAsync(session.Id, hash.RefreshAsync(session.Timeouts.Expiry, channel.IsGarnet));
    }

    private async Task FollowAsync(string id, Task refresh)
    {
        try
        {
            await refresh.ConfigureAwait(false);
        }
        catch (Exception error)
        {
            if (errors.IsNews(OperationKind.RefreshExpiry, error)) channel.Logger.RefreshFailed(id, error);
            channel.Metrics.OperationFailed(OperationKind.RefreshExpiry, error);
        }
    }
}
