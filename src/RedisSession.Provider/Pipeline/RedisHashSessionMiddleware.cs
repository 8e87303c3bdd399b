using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace RedisSession.Provider;

/// <summary>
/// Gives each request its session, as SessionMiddleware does, but knows what a store is not told there: the request and the cookie's
/// options. So no key is created before it is needed, and failures are thrown where an error page can still be shown.
/// </summary>
internal sealed class RedisHashSessionMiddleware(
    RequestDelegate next, RedisHashSessionStore store, SessionCookie cookie, LoadAhead loadAhead)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var features = context.Features;
        var outer = features.Get<ISessionFeature>();
        var request = new RequestHolder(context);
        var session = store.Begin(request, cookie);
        features.Set<ISessionFeature>(session);
        var endpoint = session.Given.IsNew ? null : context.GetEndpoint();
        var lesson = session.Given.IsNew ? null : loadAhead.Of(endpoint);
        try
        {
            // A failed read is not retried: an outage costs a request one failure, its error page included.
            if (lesson is { IsLoadedAhead: true } && session.State.Failure is null)
            {
                await LoadAsync(session).ConfigureAwait(false);
                if (lesson.IsGuess && session.State.Snapshot is { } snapshot) snapshot.AheadSince = Environment.TickCount64;
            }

            var exclusive = ExclusiveEndpoints.Of(context.GetEndpoint());
            if (exclusive is null || await ExclusiveEndpoints.TryEnterAsync(context, session, exclusive).ConfigureAwait(false))
                await request.CallAsync(next).ConfigureAwait(false);
            if (exclusive is null && context.GetEndpoint() is { } chosen && ExclusiveEndpoints.Of(chosen) is not null)
                throw ExclusiveEndpoints.NotHeard(chosen);
        }
        finally
        {
            if (lesson is not null) loadAhead.Learn(lesson, endpoint, session);
            features.Set(outer);
            await session.LeaveAsync(context).ConfigureAwait(false);
        }

        session.ThrowWhatNobodyWasTold(context);
    }

    private async Task LoadAsync(RedisHashSession session)
    {
        try
        {
            await session.LoadAsync().ConfigureAwait(false);
        }
        catch (Exception) when (!store.Channel.Throws)
        {
            // Logged where it happened; the session remembers that Redis is unavailable.
        }
    }
}
