using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>This file: what GET shows.</summary>
internal sealed partial class SessionsEndpoint
{
    private const int PageSize = 50;

    // Of one user. Who has more is no person; all of them can be ended together.
    private const int MaxFound = 200;

    // A larger session is read from Redis only when its values are asked for.
    private const long LargeSession = 1024 * 1024;

    private Task ShowAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (query[Query.Session].ToString() is { Length: > 0 } id) return ShowOneAsync(context, id);
        return query[Query.Search].ToString() is { Length: > 0 } search ? ShowFoundAsync(context, search) : ShowPageAsync(context);
    }

    private async Task ShowPageAsync(HttpContext context)
    {
        string? after = context.Request.Query[Query.After];
        SessionPage page;
        try
        {
            page = await directory.ListPageAsync(PageSize, after, context.RequestAborted).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            await context.Response.SendAsync(StatusCodes.Status400BadRequest, MessagePage.NoSuchPage).ConfigureAwait(false);
            return;
        }

        if (after is null && page.Next is null) counts.AddSeen(new(time.GetUtcNow(), page.Sessions.Count));
        await SendListAsync(context, new(page.Sessions, Next: page.Next)).ConfigureAwait(false);
    }

    private async Task ShowFoundAsync(HttpContext context, string search)
    {
        var found = new List<SessionInfo>();
        if (await directory.GetAsync(search, context.RequestAborted).ConfigureAwait(false) is { } byId) found.Add(byId);
        var byUser = directory.FindByUserAsync(search, context.RequestAborted).Take(MaxFound + 1);
        var ofUser = await byUser.ToListAsync(context.RequestAborted).ConfigureAwait(false);
        found.AddRange(ofUser.Take(MaxFound).OrderByDescending(session => session.Created));
        string? user = ofUser.FirstOrDefault()?.User;
        await SendListAsync(context, new(found, search, user, AreMore: ofUser.Count > MaxFound)).ConfigureAwait(false);
    }

    private Task SendListAsync(HttpContext context, SessionList list)
    {
        var query = context.Request.Query;
        int? ended = int.TryParse(query[Query.Ended], out int number) && number >= 0 ? number : null;
        var place = new Place(FormToken.For(antiforgery, context), time.GetUtcNow(), !string.IsNullOrEmpty(query[Query.After]), ended);
        return context.Response.SendAsync(StatusCodes.Status200OK, ListPage.Of(list, counts.All, place));
    }

    private async Task ShowOneAsync(HttpContext context, string id)
    {
        if (await directory.GetAsync(id, context.RequestAborted).ConfigureAwait(false) is not { } session)
        {
            await context.Response.SendAsync(StatusCodes.Status404NotFound, MessagePage.NoSuchSession).ConfigureAwait(false);
            return;
        }

        bool areShown = context.Request.Query.ContainsKey(Query.Values);
        bool areRead = areShown || session.SizeInBytes is not > LargeSession;
        var values = areRead ? await session.GetValuesAsync(context.RequestAborted).ConfigureAwait(false) : null;
        if (areShown) logger.ValuesShown(OperatorOf(context), ShownText.Line(session.Id));
        var place = new Place(FormToken.For(antiforgery, context), time.GetUtcNow());
        var page = OneSessionPage.Of(session, values, areShown, place);
        await context.Response.SendAsync(StatusCodes.Status200OK, page).ConfigureAwait(false);
    }
}
