using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Answers the requests of the page. GET shows and changes nothing; POST does what its form says, if the form is ours, and sends the
/// browser back to where it was. A page is made as a whole before anything of it is sent.
/// </summary>
internal sealed class SessionsEndpoint(
    IRedisSessionDirectory directory,
    SessionCounts counts,
    IAntiforgery antiforgery,
    IHostEnvironment environment,
    TimeProvider time,
    ILogger<SessionsEndpoint> logger)
{
    public const int PageSize = 50;

    // Of one user. Who has more is no person; all of them can be ended together.
    private const int MaxFound = 200;

    // A larger session is read from Redis only when its values are asked for.
    private const long LargeSession = 1024 * 1024;

    public async Task HandleAsync(HttpContext context)
    {
        if (ClosedByDefault.Refuses(context, environment) is { } reason)
        {
            logger.Refused(reason);
            await context.Response.SendAsync(StatusCodes.Status403Forbidden, MessagePage.Closed(reason)).ConfigureAwait(false);
            return;
        }

        try
        {
            if (HttpMethods.IsPost(context.Request.Method)) await ActAsync(context).ConfigureAwait(false);
            else await ShowAsync(context).ConfigureAwait(false);
        }
        catch (Exception error) when (IsOfRedis(error) && !context.RequestAborted.IsCancellationRequested)
        {
            logger.RedisFailed(error);
            await context.Response.SendAsync(StatusCodes.Status503ServiceUnavailable, MessagePage.RedisIsAway).ConfigureAwait(false);
        }
    }

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
        if (areShown) logger.ValuesShown(OperatorOf(context), session.Id);
        var place = new Place(FormToken.For(antiforgery, context), time.GetUtcNow());
        var page = OneSessionPage.Of(session, values, areShown, place);
        await context.Response.SendAsync(StatusCodes.Status200OK, page).ConfigureAwait(false);
    }

    private async Task ActAsync(HttpContext context)
    {
        if (!await IsOursAsync(context).ConfigureAwait(false))
        {
            await context.Response.SendAsync(StatusCodes.Status400BadRequest, MessagePage.FormRefused).ConfigureAwait(false);
            return;
        }

        // Not given up when the operator's browser goes away: what was asked for is done, and logged.
        var form = await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
        int ended;
        if (form[FormToken.End].ToString() is { Length: > 0 } id) ended = await EndAsync(context, id).ConfigureAwait(false);
        else if (form[FormToken.EndAll].ToString() is { Length: > 0 } user) ended = await EndAllAsync(context, user).ConfigureAwait(false);
        else
        {
            await context.Response.SendAsync(StatusCodes.Status400BadRequest, MessagePage.NothingToDo).ConfigureAwait(false);
            return;
        }

        var query = context.Request.Query;
        string count = ended.ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.SeeOther(Query.To((Query.Search, query[Query.Search]), (Query.After, query[Query.After]), (Query.Ended, count)));
    }

    private async Task<bool> IsOursAsync(HttpContext context)
    {
        Exception? refusal = null;
        try
        {
            if (context.Request.HasFormContentType)
            {
                await antiforgery.ValidateRequestAsync(context).ConfigureAwait(false);
                return true;
            }
        }
        catch (AntiforgeryValidationException error)
        {
            refusal = error;
        }

        logger.FormRefused(OperatorOf(context), refusal);
        return false;
    }

    private async Task<int> EndAsync(HttpContext context, string id)
    {
        if (!await directory.EndAsync(id, CancellationToken.None).ConfigureAwait(false)) return 0;
        logger.SessionEnded(OperatorOf(context), ShownText.Line(id));
        return 1;
    }

    private async Task<int> EndAllAsync(HttpContext context, string encodedUser)
    {
        string user = FormToken.DecodeUser(encodedUser);
        int ended = await directory.EndAllForUserAsync(user, cancellationToken: CancellationToken.None).ConfigureAwait(false);
        logger.UserSessionsEnded(OperatorOf(context), ShownText.Line(user), ended);
        return ended;
    }

    private static string OperatorOf(HttpContext context)
    {
        var user = context.User;
        string? name = user.Identity?.Name ?? user.FindFirstValue(ClaimTypes.NameIdentifier);
        return name is null ? "(not signed in)" : ShownText.Line(name);
    }

    private static bool IsOfRedis(Exception error) =>
        error is RedisException or RedisTimeoutException or OperationCanceledException { InnerException: TimeoutException };
}
