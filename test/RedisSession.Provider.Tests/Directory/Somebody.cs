using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Tests;

/// <summary>Requests of people who have signed in: what authentication behind the session middleware leaves in a request.</summary>
internal static class Somebody
{
    public static void SignIn(this HttpContext context, string user, string? authenticationType = "test") =>
        context.User = new(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, user)], authenticationType));

    /// <summary>
    /// One request of <paramref name="user"/> (nobody: null) that must succeed, through the synchronous API of the session.
    /// </summary>
    public static Task VisitAsAsync(this Browser browser, string? user, Action<ISession> work) => browser.VisitAsync(context =>
    {
        if (user is not null) context.SignIn(user);
        work(context.Session);
        return Task.CompletedTask;
    });

    /// <summary>Begins a session of <paramref name="user"/> with one key; returns its id.</summary>
    public static Task<string> BeginAsAsync(this Browser browser, string? user, string key = "key", string value = "1") =>
        browser.VisitAsAsync(user, session =>
        {
            session.SetString(key, value);
            return session.Id;
        });

    /// <summary>The same with an answer.</summary>
    public static Task<T> VisitAsAsync<T>(this Browser browser, string? user, Func<ISession, T> work) => browser.VisitAsync(context =>
    {
        if (user is not null) context.SignIn(user);
        return Task.FromResult(work(context.Session));
    });
}
