namespace RedisSession.Provider.Tests;

/// <summary>
/// The expiry is renewed once per reading request, on every write, and by a request that touches nothing. The idle timeout counts from the
/// end of a request, and what a request asks for or commits while it runs for long keeps its session alive: streams of events, WebSockets.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class ExpiryTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan NearlyOver = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private TestApp _limited = null!;

    [OneTimeSetUp]
    public async Task StartLimitedApp() =>
        _limited = Owned.Add(await StartAsync(RedisSessionMode.Buffered, options => options.AbsoluteTimeout = Idle * 2));

    protected override void Configure(RedisHashSessionOptions options) => (options.IdleTimeout, options.RefreshInterval) = (Idle, TimeSpan.Zero);

    private static TestCaseData Use(string name, Func<ISession, Task> use) => new TestCaseData(use).SetArgDisplayNames(name);

    private static IEnumerable<TestCaseData> Uses()
    {
        yield return Use("touches nothing", _ => Task.CompletedTask);
        yield return Use("asks for the id only", session => Task.FromResult(session.Id));
        yield return Use("reads", session => Task.FromResult(session.GetInt("n")));
        yield return Use("reads asynchronously", async session => await session.GetIntAsync("n"));
        yield return Use("reads several", async session => await session.ReadAsync(["n", "m"]));
        yield return Use("loads", session => session.LoadAsync());
        yield return Use("lists the keys", session => Task.FromResult(session.Keys.Count()));
        yield return Use("asks whether it is available", session => Task.FromResult(session.IsAvailable));
        yield return Use("sets", session => Task.Run(() => session.SetInt32("n", 2)));
        yield return Use("sets asynchronously", session => session.SetValueAsync("n", 2));
        yield return Use("removes", session => Task.Run(() => session.Remove("n")));
        yield return Use("removes what is not there", session => Task.Run(() => session.Remove("nothing")));
        yield return Use("clears", session => Task.Run(session.Clear));
        yield return Use("commits", session => session.CommitAsync());
    }

    [TestCaseSource(nameof(Uses))]
    public async Task Expiry_is_renewed_by_a_request_that(Func<ISession, Task> use)
    {
        foreach (var app in Apps.Values.Append(_limited))
        {
            using var browser = app.NewBrowser();
            var key = await NewSessionAsync(browser);
            await Redis.KeyExpireAsync(key, NearlyOver);

            await browser.VisitAsync(context => use(context.Session));

            await AssertTimeToLiveAsync(key, Idle);
        }
    }

    [Test]
    public async Task A_new_session_has_the_idle_timeout()
    {
        var idle = TimeSpan.FromMilliseconds(123_456);
        await using var app = await StartAsync(RedisSessionMode.Buffered, options => options.IdleTimeout = idle);
        using var browser = app.NewBrowser();
        var key = await NewSessionAsync(browser);
        Assert.That(await Redis.KeyTimeToLiveAsync(key), Is.LessThanOrEqualTo(idle).And.GreaterThan(TimeSpan.FromSeconds(110)));
    }

    [Test]
    public async Task A_session_that_has_expired_is_empty_and_begins_anew_under_the_same_cookie()
    {
        await using var app = await StartAsync(RedisSessionMode.Buffered, options => options.IdleTimeout = TimeSpan.FromMilliseconds(200));
        using var browser = app.NewBrowser();
        var key = await NewSessionAsync(browser);
        string? cookie = browser.SessionCookie!.Value;
        Assert.That(async () => await Redis.KeyExistsAsync(key), Is.False.After(5000, 10));

        Assert.That(await browser.VisitAsync(session => session.IsNone("n")), Is.True);
        Assert.That(app.Logs.Of(SessionEvents.AccessingExpiredSession), Is.Not.Empty);

        await browser.VisitAsync(session =>
        {
            session.SetInt32("n", 5);
            Assert.That(Stack.KeyOf(session.Id), Is.EqualTo(key));
        });
        Assert.That(browser.SessionCookie!.Value, Is.EqualTo(cookie));
    }

    [Test]
    public async Task The_absolute_timeout_bounds_every_renewal_and_is_counted_by_the_server()
    {
        using var browser = _limited.NewBrowser();
        var key = await NewSessionAsync(browser);

        await AgeAsync(key, minutes: 15); // of its 20: 5 are left, fewer than the idle timeout
        await AssertRenewedAsync(browser, key, TimeSpan.FromMinutes(5));

        await AgeAsync(key, minutes: 21);
        await browser.VisitAsync(_ => { });
        Assert.That(async () => await Redis.KeyExistsAsync(key), Is.False.After(5000, 10));
    }

    [Test]
    public async Task A_write_after_the_absolute_end_begins_a_new_session_and_keeps_nothing_of_the_old()
    {
        using var browser = _limited.NewBrowser();
        var key = await NewSessionAsync(browser);
        await AgeAsync(key, minutes: 21);
        await browser.VisitAsync(session => session.SetInt32("m", 2));
        Assert.That((await Redis.HashKeysAsync(key)).Select(field => (string?)field), Is.EquivalentTo(["@gen", "@created", "m"]));
    }

    // Other programs may write into the hash.
    [Test]
    public async Task A_creation_time_that_is_no_time_counts_as_now([Values("yesterday", "", "nan", "1e999")] string created)
    {
        using var browser = _limited.NewBrowser();
        var key = await NewSessionAsync(browser);
        await Redis.HashSetAsync(key, "@created", created);
        await AssertRenewedAsync(browser, key, Idle);
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["n", "m"]));
    }

    private static IEnumerable<TestCaseData> LongUses()
    {
        yield return Use("commits", session => session.CommitAsync());
        yield return Use("loads", session => session.LoadAsync());
        yield return Use("reloads", session => session.ReloadAsync());
        yield return Use("reads live", async session => await session.GetStrAsync("n"));
    }

    [TestCaseSource(nameof(LongUses))]
    public async Task A_request_refreshes_the_expiry_again_when_it(Func<ISession, Task> use)
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            await using var app = await StartAsync(mode, options => options.RefreshInterval = Short);
            using var browser = app.NewBrowser();
            var key = await NewSessionAsync(browser);
            await browser.VisitAsync(async context =>
            {
                await context.Session.GetStrAsync("n");
                await Task.Delay(Short * 3);
                await Redis.KeyExpireAsync(key, NearlyOver);
                await use(context.Session);

                // Within the request: nothing of its end has happened yet.
                await AssertTimeToLiveAsync(key, Idle);
            });
        }
    }

    [TestCaseSource(nameof(LongUses))]
    public async Task Within_a_refresh_interval_it_costs_nothing_when_a_request(Func<ISession, Task> use)
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            await using var app = await StartAsync(mode, options => options.RefreshInterval = Long);
            using var browser = app.NewBrowser();
            var key = await NewSessionAsync(browser);
            await Redis.KeyExpireAsync(key, NearlyOver);
            await browser.VisitAsync(async context => { for (int i = 0; i < 10; i++) await use(context.Session); });
            Assert.That(await Redis.KeyTimeToLiveAsync(key), Is.LessThanOrEqualTo(NearlyOver));
        }
    }

    [Test]
    public async Task What_has_run_for_a_while_is_refreshed_once_more_at_its_end([Values] RedisSessionMode mode, [Values] bool hasBody)
    {
        await using var app = await StartAsync(mode, options => options.RefreshInterval = Short);
        using var browser = app.NewBrowser();
        var key = await NewSessionAsync(browser);
        await browser.VisitAsync(async context =>
        {
            _ = context.Session.GetString("n");
            if (hasBody) await context.Response.WriteAsync("the response has started");
            await Task.Delay(Short * 3);
            await Redis.KeyExpireAsync(key, NearlyOver);
        });
        await AssertTimeToLiveAsync(key, Idle);
    }

    private Task<bool> AgeAsync(RedisKey key, int minutes) =>
        Redis.HashSetAsync(key, "@created", DateTimeOffset.UtcNow.AddMinutes(-minutes).ToUnixTimeMilliseconds());

    /// <summary>A renewal that nobody waits for may still be under way.</summary>
    private Task AssertTimeToLiveAsync(RedisKey key, TimeSpan expected) => Assert.ThatAsync(
        () => Redis.KeyTimeToLiveAsync(key), Is.EqualTo(expected).Within(TimeSpan.FromSeconds(30)).After(5000, 10));

    /// <summary>A request that reads, one that writes and one that does nothing.</summary>
    private async Task AssertRenewedAsync(Browser browser, RedisKey key, TimeSpan expected)
    {
        foreach (var use in (Action<ISession>[])[session => session.GetInt("n"), session => session.SetInt32("m", 2), _ => { }])
        {
            await Redis.KeyExpireAsync(key, NearlyOver);
            await browser.VisitAsync(use);
            await AssertTimeToLiveAsync(key, expected);
        }
    }

    private async Task<RedisKey> NewSessionAsync(Browser browser) => Stack.KeyOf(await browser.SetStringAsync("n", "1"));
}
