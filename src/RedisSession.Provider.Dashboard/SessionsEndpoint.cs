using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Handles the requests for the page. GET only reads; POST does what its form says, if the form is ours, and sends the browser back to
/// where it was. A page is rendered completely before any of it is sent.
/// </summary>
internal sealed class SessionsEndpoint(
    IRedisSessionDirectory directory,
    SessionCounts counts,
    IAntiforgery antiforgery,
    IHostEnvironment environment,
    TimeProvider time,
    ILogger<SessionsEndpoint> logger)
{
    private const int PageSize = 50;

    // Per user. A user with more is not a person; all their sessions can be ended together.
    private const int MaxFound = 200;

    // A larger session is read from Redis only if its values are requested.
    private const long LargeSession = 1024 * 1024;

    public async Task HandleAsync(HttpContext context)
    {
        if (ClosedByDefault.Refuses(context, environment) is { } reason)
        {
            logger.Refused(reason);
            await SayAsync(context, MessagePage.Closed(reason)).ConfigureAwait(false);
            return;
        }

        try
        {
            if (HttpMethods.IsPost(context.Request.Method)) await ActAsync(context).ConfigureAwait(false);
            else await ShowAsync(context, View.Parse(context.Request.Query)).ConfigureAwait(false);
        }
        catch (Exception error) when (IsOfRedis(error) && !context.RequestAborted.IsCancellationRequested)
        {
            logger.RedisFailed(error);
            await SayAsync(context, MessagePage.RedisIsAway).ConfigureAwait(false);
        }
    }

    private Task ShowAsync(HttpContext context, View view) => view switch
    {
        { Session: { } id } => ShowOneAsync(context, view, id),
        { Search: { } search } => ShowFoundAsync(context, view, search),
        _ => ShowPageAsync(context, view),
    };

    private async Task ShowPageAsync(HttpContext context, View view)
    {
        SessionFilter? filter = view.HasUser is { } hasUser ? new() { HasUser = hasUser } : null;
        if (await PageAsync(view, filter, context).ConfigureAwait(false) is not { } page)
        {
            await SayAsync(context, MessagePage.NoSuchPage).ConfigureAwait(false);
            return;
        }

        var list = new SessionList(page.Sessions, Next: page.Next);
        bool isFirst = view is { HasUser: null, After: null };
        await SendListAsync(context, view, list, isFirst ? OverviewOf(list) : null).ConfigureAwait(false);
    }

    /// <summary>The overview above the first page of all sessions.</summary>
    private Func<Place, Markup> OverviewOf(SessionList list)
    {
        var now = time.GetUtcNow();
        bool isAll = list.Next is null;
        if (isAll) counts.AddSeen(new(now, list.Sessions.Count));
        else counts.Ask(now);

        var all = counts.All;
        var total = Total.Of(list.Sessions.Count, isAll, all.Count > 0 ? all[^1] : null, now);
        var seen = isAll || counts.Sample is not { Count: > 0 } sample ? SeenSessions.Of(list.Sessions, isAll, now) : sample;
        return place => Overview.Of(total, all, seen.Count > 0 ? seen : null, place);
    }

    /// <summary>
    /// Exact matches first, which cost least: a session with this id, a user with this name. If there is neither, sessions whose id begins
    /// with the text, or else users whose name differs only in case, both of which take walks.
    /// </summary>
    private async Task ShowFoundAsync(HttpContext context, View view, string search)
    {
        var list = view.By is null ? await FindExactlyAsync(search, context).ConfigureAwait(false) : null;
        Walk? further = null;
        if (list is null && view.By is null or Walk.ById && PublicId.StartIn(search) is { } start)
        {
            var found = await WalkAsync(view, new() { IdStart = start }, Match.IdStart, context).ConfigureAwait(false);
            if (view.By is null && found is { Sessions.Count: 0 }) further = found.Next is null ? null : Walk.ById;
            else (list, view) = (found, view with { By = Walk.ById });
        }

        if (list is null && view.By is null) list = await FindInOtherCaseAsync(search, context).ConfigureAwait(false);
        if (list is null && view.By is null or Walk.ByUser)
        {
            view = view with { By = Walk.ByUser };
            list = await WalkAsync(view, new() { UserInAnyCase = search }, Match.UserInAnyCase, context).ConfigureAwait(false);
            list = list is null ? null : list with { Further = further };
        }

        await (list is null ? SayAsync(context, MessagePage.NoSuchPage) : SendListAsync(context, view, list, null)).ConfigureAwait(false);
    }

    /// <summary>Null if nothing was found.</summary>
    private async Task<SessionList?> FindExactlyAsync(string search, HttpContext context)
    {
        string id = search.Trim();
        var byId = PublicId.IsOne(id) ? await directory.GetAsync(id, context.RequestAborted).ConfigureAwait(false) : null;
        var (ofUser, areMore) = await OfUserAsync(search, context).ConfigureAwait(false);
        if (byId is null && ofUser.Count == 0) return null;
        var how = byId is null ? Match.User : ofUser.Count == 0 ? Match.Id : Match.IdAndUser;
        return new(byId is null ? ofUser : [byId, .. ofUser], how, ofUser.FirstOrDefault()?.User, areMore);
    }

    /// <summary>Tries the usual ways to capitalize a name. Null if no user has such a name: then only a walk can tell.</summary>
    private async Task<SessionList?> FindInOtherCaseAsync(string search, HttpContext context)
    {
        string lower = search.ToLowerInvariant();
        string title = System.Globalization.CultureInfo.InvariantCulture.TextInfo.ToTitleCase(lower);
        var found = new List<SessionInfo>();
        bool areMore = false;
        foreach (string name in ((string[])[lower, title, search.ToUpperInvariant()]).Except([search], StringComparer.Ordinal))
        {
            var (ofUser, more) = await OfUserAsync(name, context).ConfigureAwait(false);
            found.AddRange(ofUser);
            areMore |= more;
        }

        string[] users = [.. found.Select(session => session.User!).Distinct(StringComparer.Ordinal)];
        if (found.Count == 0) return null;
        return new(found, Match.UserInAnyCase, users.Length == 1 ? users[0] : null, areMore, Further: Walk.ByUser);
    }

    private async Task<(List<SessionInfo> Sessions, bool AreMore)> OfUserAsync(string user, HttpContext context)
    {
        var found = await directory.FindByUserAsync(user, context.RequestAborted)
            .Take(MaxFound + 1).ToListAsync(context.RequestAborted).ConfigureAwait(false);
        return found.Count > MaxFound ? (found[..MaxFound], true) : (found, false);
    }

    /// <summary>Null if the view is not one of ours.</summary>
    private async Task<SessionList?> WalkAsync(View view, SessionFilter filter, Match how, HttpContext context)
    {
        var page = await PageAsync(view, filter, context).ConfigureAwait(false);
        return page is null ? null : new(page.Sessions, page.Sessions.Count == 0 ? Match.None : how, Next: page.Next);
    }

    /// <summary>Null if the address does not come from one of our pages.</summary>
    private async Task<SessionPage?> PageAsync(View view, SessionFilter? filter, HttpContext context)
    {
        try
        {
            return await (filter is null
                ? directory.ListPageAsync(PageSize, view.After, context.RequestAborted)
                : directory.FindPageAsync(filter, PageSize, view.After, context.RequestAborted)).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private Task SendListAsync(HttpContext context, View view, SessionList list, Func<Place, Markup>? overview)
    {
        var now = time.GetUtcNow();
        var response = context.Response;
        var inOrder = view.Sort.Sort(list.Sessions, now);
        switch (AnswerFormats.Of(context.Request))
        {
            case AnswerFormat.Csv:
                return response.SendCsvAsync(SessionCsv.Of(inOrder));
            case AnswerFormat.Json:
                int following = view.Page + 1;
                var next = list.Next is { } cursor ? (view with { Trail = view.Trail.With(following, cursor) }).At(following) : null;
                var document = new ListDocument([.. inOrder.Select(SessionItem.Of)], list.How, next?.ToLink());
                return response.SendJsonAsync(StatusCodes.Status200OK, document, DocumentJson.Default.ListDocument);
            default:
                var place = new Place(view, FormToken.For(antiforgery, context), now);
                RefreshAsAsked(response, view);
                return response.SendAsync(StatusCodes.Status200OK, ListPage.Of(list, overview?.Invoke(place) ?? Markup.None, place));
        }
    }

    private async Task ShowOneAsync(HttpContext context, View view, string id)
    {
        if (!PublicId.IsOne(id) || await directory.GetAsync(id, context.RequestAborted).ConfigureAwait(false) is not { } session)
        {
            await SayAsync(context, MessagePage.NoSuchSession(view)).ConfigureAwait(false);
            return;
        }

        bool isForScript = AnswerFormats.Of(context.Request) == AnswerFormat.Json;
        var keys = await ReadKeysAsync(context, view, session, isForScript ? int.MaxValue : OneSessionPage.MaxKeys).ConfigureAwait(false);
        if (view.AreValuesShown) logger.ValuesShown(OperatorOf(context), ShownText.Line(session.Id));
        if (isForScript)
        {
            await context.Response.SendJsonAsync(
                StatusCodes.Status200OK, DocumentOf(session, keys, view), DocumentJson.Default.SessionDocument).ConfigureAwait(false);
            return;
        }

        var place = new Place(view, FormToken.For(antiforgery, context), time.GetUtcNow());
        RefreshAsAsked(context.Response, view);
        await context.Response.SendAsync(StatusCodes.Status200OK, OneSessionPage.Of(session, keys, place)).ConfigureAwait(false);
    }

    /// <summary>Null if the session is large and its values were not requested.</summary>
    private static async Task<ShownKeys?> ReadKeysAsync(HttpContext context, View view, SessionInfo session, int most)
    {
        if (!view.AreValuesShown && session.SizeInBytes is > LargeSession) return null;
        var keys = ShownKeys.Of(await session.GetValuesAsync(context.RequestAborted).ConfigureAwait(false), view.Key, most);
        var expiries = await session.GetKeyExpiriesAsync(keys.Shown.Select(pair => pair.Key), context.RequestAborted).ConfigureAwait(false);
        return keys with { Expiries = expiries };
    }

    private static SessionDocument DocumentOf(SessionInfo session, ShownKeys? keys, View view) => new(
        SessionItem.Of(session),
        keys is null ? null : [.. keys.Shown.Select(pair => KeyItem.Of(
            pair.Key, pair.Value, keys.Expiries.TryGetValue(pair.Key, out var expires) ? expires : null, view.AreValuesShown))],
        keys is not null && session.KeyCount > keys.All ? session.KeyCount - keys.All : null);

    private async Task ActAsync(HttpContext context)
    {
        if (await ReadFormAsync(context).ConfigureAwait(false) is not { } form)
        {
            await SayAsync(context, MessagePage.FormUnreadable).ConfigureAwait(false);
            return;
        }

        if (!await IsOursAsync(context).ConfigureAwait(false))
        {
            await SayAsync(context, MessagePage.FormRefused).ConfigureAwait(false);
            return;
        }

        // All buttons belong to one form, so the chosen sessions are submitted whichever button is pressed.
        var back = View.Parse(context.Request.Query).Plain;
        if (form[FormToken.End].ToString() is { Length: > 0 } id)
        {
            int ended = await EndAsync(context, id).ConfigureAwait(false);
            context.Response.SeeOther((back with { Ended = ended, EndedId = ended == 1 ? id : null }).ToLink());
        }
        else if (form[FormToken.EndAll].ToString() is { Length: > 0 } encoded)
        {
            string user = FormToken.DecodeUser(encoded);
            int ended = await EndAllAsync(context, user).ConfigureAwait(false);
            context.Response.SeeOther((back with { Ended = ended, EndedUser = ShownText.StartOf(user) }).ToLink());
        }
        else if (form.ContainsKey(FormToken.EndChosen) && form[FormToken.Chosen] is { Count: > 0 } chosen)
        {
            string[] ids = [.. chosen.OfType<string>().Distinct(StringComparer.Ordinal)];
            int[] ended = await Task.WhenAll(ids.Select(one => EndAsync(context, one))).ConfigureAwait(false);
            context.Response.SeeOther((back with { Ended = ended.Sum(), EndedId = ids.Length == 1 ? ids[0] : null }).ToLink());
        }
        else
        {
            await SayAsync(context, MessagePage.NothingToDo).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Empty if the request is not a form, which is then refused. Null if it is a form that cannot be read: truncated, or larger than the
    /// application's limits.
    /// </summary>
    private static async Task<IFormCollection?> ReadFormAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType) return FormCollection.Empty;
        try
        {
            return await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception error) when (error is InvalidDataException or IOException && !context.RequestAborted.IsCancellationRequested)
        {
            return null;
        }
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

    // The action is completed and logged even if the operator's browser disconnects.
    private async Task<int> EndAsync(HttpContext context, string id)
    {
        if (!PublicId.IsOne(id) || !await directory.EndAsync(id, CancellationToken.None).ConfigureAwait(false)) return 0;
        logger.SessionEnded(OperatorOf(context), ShownText.Line(id));
        return 1;
    }

    private async Task<int> EndAllAsync(HttpContext context, string user)
    {
        int ended = await directory.EndAllForUserAsync(user, cancellationToken: CancellationToken.None).ConfigureAwait(false);
        logger.UserSessionsEnded(OperatorOf(context), ShownText.Line(user), ended);
        return ended;
    }

    private static Task SayAsync(HttpContext context, MessagePage message) => AnswerFormats.Of(context.Request) == AnswerFormat.Page
        ? context.Response.SendAsync(message.Status, message.ToPage())
        : context.Response.SendJsonAsync(message.Status, new(message.Title), DocumentJson.Default.ErrorDocument);

    private static void RefreshAsAsked(HttpResponse response, View view)
    {
        if (view.Refresh is { } seconds) response.RefreshEvery(seconds, view.Again.ToLink());
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
