namespace RedisSession.Provider.Tests;

/// <summary>Branches of a pipeline whose sessions have cookies of their own.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class BranchCookieTests(ServerKind kind) : OwningFixture
{
    private const string Cookie = ".TenantA";

    private readonly OurStack _stack = new(kind);
    private TestApp _app = null!;
    private TestApp _stock = null!;

    [OneTimeSetUp]
    public async Task StartApps()
    {
        _app = Owned.Add(await StartAsync((app, options) => app.UseRedisHashSession(options), Pipeline.UseRedisHashSession));
        _stock = Owned.Add(await StartAsync((app, options) => app.UseSession(options), Pipeline.UseSession));

        Task<TestApp> StartAsync(Func<IApplicationBuilder, SessionOptions, IApplicationBuilder> useOwn, Pipeline pipeline) =>
            _stack.StartAsync(use: app =>
            {
                var options = new SessionOptions { IdleTimeout = TimeSpan.FromMinutes(3), Cookie = { Name = Cookie, Path = "/a" } };
                app.UseWhen(context => context.Request.Path.StartsWithSegments("/a"), app => useOwn(app, options));
                app.UseWhen(context => !context.Request.Path.StartsWithSegments("/a"), app => app.Use(pipeline));
            });
    }

    [Test]
    public async Task Renewing_and_abandoning_replace_the_cookie_of_the_branch()
    {
        using var browser = _app.NewBrowser();
        await VisitAsync(browser, "/", context => context.Session.SetString("key", "default"));
        await VisitAsync(browser, "/a", context => context.Session.SetString("key", "a"));
        string old = CookieOf(browser)!.Value;
        await VisitAsync(browser, "/a", context => context.RenewSessionAsync());
        Assert.That(CookieOf(browser)!.Value, Is.Not.EqualTo(old));
        await VisitAsync(browser, "/a", async context =>
        {
            Assert.That(context.Session.GetString("key"), Is.EqualTo("a"));
            var life = await (await _stack.DatabaseAsync()).KeyTimeToLiveAsync(_stack.KeyOf(context.Session.Id));
            Assert.That(life, Is.LessThanOrEqualTo(TimeSpan.FromMinutes(4)), "the timeout of the branch");
        });
        await VisitAsync(browser, "/a", context => context.AbandonSessionAsync());
        Assert.That(CookieOf(browser), Is.Null);
        await VisitAsync(browser, "/", context => Assert.That(context.Session.GetString("key"), Is.EqualTo("default")));
    }

    [Test]
    public async Task Under_UseSession_what_is_not_known_is_refused_before_anything_is_changed([Values] bool renews)
    {
        using var browser = _stock.NewBrowser();
        await VisitAsync(browser, "/a", context => context.Session.SetString("key", "a"));
        await VisitAsync(browser, "/a", context => Assert.That(
            async () => await (renews ? context.RenewSessionAsync() : context.AbandonSessionAsync()),
            Throws.InvalidOperationException.With.Message.Contains("UseRedisHashSession")));
        await VisitAsync(browser, "/a", context => Assert.That(context.Session.GetString("key"), Is.EqualTo("a")));
    }

    [Test]
    public async Task Each_pipeline_reads_the_cookie_that_the_other_wrote([Values] bool isOursFirst)
    {
        var (first, second) = isOursFirst ? (_app, _stock) : (_stock, _app);
        using var browser = await first.NewVisitorAsync();
        string cookie = browser.SessionCookie!.Value;
        Assert.That(await browser.At(second).GetStringAsync("key"), Is.EqualTo("old"));
        await browser.RenewAsync();
        Assert.That(await browser.At(first).GetStringAsync("key"), Is.EqualTo("old"));
        Assert.That(browser.SessionCookie!.Value, Is.Not.EqualTo(cookie));
    }

    [Test]
    public async Task The_response_that_begins_a_session_is_as_under_UseSession()
    {
        string[] headers = await Task.WhenAll(new[] { _stock, _app }.Select(async app =>
        {
            using var browser = app.NewBrowser();
            using var response = await browser.SendAsync(context => context.Session.SetString("key", "1"));
            var cookie = response.Headers.GetValues("Set-Cookie").Single().Split(';');
            string length = $"{Uri.UnescapeDataString(cookie[0]).Length}";
            return string.Join('\n', [length, .. cookie[1..], $"{response.Headers.CacheControl}", $"{response.Headers.Pragma}"]);
        }));
        Assert.That(headers[1], Is.EqualTo(headers[0]));
    }

    private static Cookie? CookieOf(Browser browser) => browser.Cookies.GetAllCookies().FirstOrDefault(cookie => cookie.Name == Cookie);

    private static Task VisitAsync(Browser browser, string path, Action<HttpContext> work) => IsOkAsync(browser.SendAsync(work, path));

    private static Task VisitAsync(Browser browser, string path, Func<HttpContext, Task> work) => IsOkAsync(browser.SendAsync(work, path));

    private static async Task IsOkAsync(Task<HttpResponseMessage> sending)
    {
        using var response = await sending;
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }
}
