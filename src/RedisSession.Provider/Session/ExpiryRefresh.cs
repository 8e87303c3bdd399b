namespace RedisSession.Provider;

/// <summary>Gives a session that is used its whole idle timeout again. Nobody waits for that.</summary>
internal sealed class ExpiryRefresh(SessionChannel channel, SessionListing listing, SessionTakeover takeover)
{
    /// <summary>In the flight of the first question of a request. Called inside the lock.</summary>
    public void Once(RequestSession session, SessionHash hash)
    {
        if (session.State.RefreshedAt is not null) return;
        var refresh = Send(session, hash);
        if (!refresh.IsCompletedSuccessfully) _ = LogFailureAsync(session.Id, refresh);
        listing.Keep(session, write: null);
    }

    /// <summary>At the end of a request that has not used its session.</summary>
    public void IfUntouched(RequestSession session)
    {
        var state = session.State;
        if (state.RefreshedAt is not null || state.Identity.IsNew || state.Failure is not null) return;
        _ = LogFailureAsync(session.Id, RefreshAsync());

        async Task RefreshAsync()
        {
            var database = await channel.OpenAsync(session, Waiting.Asynchronously).ConfigureAwait(false);
            Task<bool>? refresh = null;
            Question question;
            lock (state.Gate)
            {
                question = state.Ask();
                var hash = new SessionHash(database, question.Identity.RedisKey);
                if (!takeover.IsDue(question))
                {
                    Once(session, hash);
                }
                else
                {
                    // AddSession would have refreshed the blob: here it is taken over, since nobody else refreshes it.
                    state.Refreshed(Environment.TickCount64);
                    refresh = hash.TryRefreshAsync(session.Timeouts.Expiry, channel.IsGarnet);
                    listing.Keep(session, write: null);
                }

                session.IsListingWaitedFor = false;
            }

            if (refresh is not null && !await refresh.ConfigureAwait(false))
                await takeover.HasTakenOverAsync(session, question, Waiting.Asynchronously).ConfigureAwait(false);
        }
    }

    private Task Send(RequestSession session, SessionHash hash)
    {
        session.State.Refreshed(Environment.TickCount64);
        return hash.RefreshAsync(session.Timeouts.Expiry, channel.IsGarnet);
    }

    private async Task LogFailureAsync(string id, Task refresh)
    {
        try
        {
            await refresh.ConfigureAwait(false);
        }
        catch (Exception error)
        {
            channel.Logger.RefreshFailed(id, error);
            channel.Metrics.OperationFailed(OperationKind.RefreshExpiry, error);
        }
    }
}
