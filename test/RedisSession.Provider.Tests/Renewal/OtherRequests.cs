namespace RedisSession.Provider.Tests;

/// <summary>Requests beside a renewal, with the cookie that the session had before.</summary>
internal static class OtherRequests
{
    /// <summary>One request; false where its session has ended.</summary>
    public static Task<bool> TryVisitAsync(this Browser browser, Func<HttpContext, Task> work) =>
        browser.VisitAsync(context => Attempt.IsDoneAsync<SessionEndedException>(() => work(context)));

    /// <summary>
    /// Renews the key while others visit with the same cookie, from their visit number <paramref name="begun"/> on; returns when each has
    /// done his last. The number of the other one and that of his visit go to <paramref name="visit"/>, which says whether he goes on.
    /// </summary>
    public static async Task RenewBesideAsync(this Browser browser, int others, int begun, Func<Browser, int, int, Task<bool>> visit)
    {
        int visits = 0;
        var beginning = new TaskCompletionSource();
        var visiting = Enumerable.Range(0, others).Select(_ => browser.Twin()).ToArray().Select(async (other, i) =>
        {
            using (other)
            {
                for (int n = 0; await visit(other, i, n); n++)
                    if (Interlocked.Increment(ref visits) == begun) beginning.SetResult();
            }
        }).ToArray();
        await Task.WhenAny(beginning.Task, Task.WhenAll(visiting));
        await browser.RenewAsync("ann");
        await Task.WhenAll(visiting);
    }

    /// <summary>Both sign in at once, as by a double click, and must succeed.</summary>
    public static Task SignInAtOnceAsync(bool readsFirst, params Browser[] all) => Task.WhenAll(all.Select(one => one.VisitAsync(async context =>
    {
        if (readsFirst) await context.Session.LoadAsync();
        await context.RenewSessionAsync("ann");
        context.Session.SetString("signed in", "1");
    })));
}
