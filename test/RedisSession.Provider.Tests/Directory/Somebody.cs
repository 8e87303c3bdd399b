using System.Security.Claims;

namespace RedisSession.Provider.Tests;

/// <summary>Requests of people who have signed in: what authentication behind the session middleware leaves in a request.</summary>
internal static class Somebody
{
    public static void SignIn(this HttpContext context, string user, string? authenticationType = "test") =>
        context.User = new(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, user)], authenticationType));

    /// <summary>A name that no other test uses.</summary>
    public static string New() => $"user {Guid.NewGuid()}";

    /// <summary>One request of <paramref name="user"/> (nobody: null) that must succeed, through the synchronous API of the session.</summary>
    public static Task VisitAsAsync(this Browser browser, string? user, Action<ISession> work) => browser.VisitAsAsync(user, session =>
    {
        work(session);
        return true;
    });

    /// <summary>The same with an answer.</summary>
    public static Task<T> VisitAsAsync<T>(this Browser browser, string? user, Func<ISession, T> work) => browser.VisitAsync(context =>
    {
        if (user is not null) context.SignIn(user);
        return Task.FromResult(work(context.Session));
    });

    /// <summary>Begins a session of <paramref name="user"/> with one key; returns its id.</summary>
    public static Task<string> BeginAsAsync(this Browser browser, string? user, string key = "key", string value = "1") =>
        browser.VisitAsAsync(user, session =>
        {
            session.SetString(key, value);
            return session.Id;
        });

    /// <summary>A new session that holds <c>key</c>: <c>old</c>; returns its id.</summary>
    public static Task<string> NewSessionAsync(this Browser browser, string? user = null) => browser.BeginAsAsync(user, value: "old");

    /// <summary>The same, bound to its user by <c>RenewSessionAsync</c>, or by itself.</summary>
    public static async Task<string> NewSessionAsync(this Browser browser, string user, bool byName)
    {
        string id = await browser.NewSessionAsync(byName ? null : user);
        return byName ? await browser.RenewAsync(user) : id;
    }

    /// <summary>A visitor with such a session.</summary>
    public static async Task<Browser> NewVisitorAsync(this TestApp app, string? user = null, string key = "key", string value = "old")
    {
        var browser = app.NewBrowser();
        await browser.BeginAsAsync(user, key, value);
        return browser;
    }

    /// <summary>One request that renews the key of the session; returns the new id.</summary>
    public static Task<string> RenewAsync(this Browser browser, string? user = null) => browser.VisitAsync(async context =>
    {
        await context.RenewSessionAsync(user);
        return context.Session.Id;
    });

    /// <summary>The ids of the sessions of <paramref name="user"/> that the directory finds.</summary>
    public static ValueTask<string[]> IdsOfAsync(this IRedisSessionDirectory directory, string user) =>
        directory.FindByUserAsync(user).Select(session => session.Id).ToArrayAsync();
}
