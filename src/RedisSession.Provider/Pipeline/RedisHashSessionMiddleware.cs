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
        var outer = context.Features.Get<ISessionFeature>();
        var request = new RequestHolder(context);
        var session = store.Begin(request, cookie);
        context.Features.Set<ISessionFeature>(session);
        var lesson = session.Given.IsNew ? null : loadAhead.Of(context.GetEndpoint());
        try
        {
            // A failed read is not retried: an outage costs a request one failure, its error page included.
            if (lesson is { IsLoadedAhead: true } && session.State.Failure is null)
            {
                await LoadAsync(session).ConfigureAwait(false);
                if (lesson.IsGuess && session.State.Snapshot is { } snapshot) snapshot.AheadSince = Environment.TickCount64;
            }

            var exclusive = ExclusiveEndpoints.Of(context.GetEndpoint());
            bool isHeard = exclusive is not null;
            if (exclusive is null || await ExclusiveEndpoints.TryEnterAsync(context, session, exclusive).ConfigureAwait(false))
                await request.CallAsync(next).ConfigureAwait(false);
            if (!isHeard && context.GetEndpoint() is { } chosen && ExclusiveEndpoints.Of(chosen) is not null)
                throw ExclusiveEndpoints.NotHeard(chosen);
        }
        finally
        {
            if (lesson is not null) loadAhead.Learn(lesson, session);
            context.Features.Set(outer);
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
