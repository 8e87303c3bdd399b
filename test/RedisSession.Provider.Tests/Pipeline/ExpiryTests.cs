using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>The expiry is renewed once per reading request, on every write, and by a request that touches nothing.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
[Parallelizable]
internal sealed class ExpiryTests(ServerKind kind, Pipeline pipeline)
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan NearlyOver = TimeSpan.FromMinutes(1);

    private readonly OurStack _stack = new(kind, pipeline);
    private TestApp _buffered = null!;
    private TestApp _live = null!;
    private TestApp _limited = null!;
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task StartApps()
    {
        _buffered = await _stack.StartAsync(options => (options.IdleTimeout, options.RefreshInterval) = (Idle, TimeSpan.Zero));
        _live = await _stack.StartAsync(options => (options.IdleTimeout, options.Mode, options.RefreshInterval) = (Idle, RedisSessionMode.Live, TimeSpan.Zero));
        _limited = await _stack.StartAsync(options => (options.IdleTimeout, options.AbsoluteTimeout, options.RefreshInterval) = (Idle, Idle * 2, TimeSpan.Zero));
        _redis = await _stack.DatabaseAsync();
    }

    [OneTimeTearDown]
    public async Task StopApps()
    {
        await _buffered.DisposeAsync();
        await _live.DisposeAsync();
        await _limited.DisposeAsync();
    }

    private static IEnumerable<TestCaseData> Uses()
    {
        TestCaseData Use(string name, Func<ISession, Task> use) => new TestCaseData(use).SetArgDisplayNames(name);
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
        foreach (var app in new[] { _buffered, _live, _limited })
        {
            using var browser = app.NewBrowser();
            var key = await NewSessionAsync(browser);
            await _redis.KeyExpireAsync(key, NearlyOver);

            await browser.VisitAsync(context => use(context.Session));

            // A renewal that nobody waits for may still be under way.
            Assert.That(async () => await _redis.KeyTimeToLiveAsync(key), Is.EqualTo(Idle).Within(TimeSpan.FromSeconds(30)).After(5000, 10));
        }
    }

    [Test]
    public async Task A_new_session_has_the_idle_timeout()
    {
        await using var app = await _stack.StartAsync(options =>
            (options.IdleTimeout, options.RefreshInterval) = (TimeSpan.FromMilliseconds(123_456), TimeSpan.Zero));
        using var browser = app.NewBrowser();
        var key = await NewSessionAsync(browser);
        Assert.That(
            await _redis.KeyTimeToLiveAsync(key),
            Is.LessThanOrEqualTo(TimeSpan.FromMilliseconds(123_456)).And.GreaterThan(TimeSpan.FromSeconds(110)));
    }

    [Test]
    public async Task A_session_that_has_expired_is_empty_and_begins_anew_under_the_same_cookie()
    {
        await using var app = await _stack.StartAsync(options => options.IdleTimeout = TimeSpan.FromMilliseconds(200));
        using var browser = app.NewBrowser();
        var key = await NewSessionAsync(browser);
        string? cookie = browser.SessionCookie!.Value;
        Assert.That(async () => await _redis.KeyExistsAsync(key), Is.False.After(5000, 10));

        Assert.That(await browser.VisitAsync(session => session.IsNone("n")), Is.True);
        Assert.That(app.Logs.Of(SessionEvents.AccessingExpiredSession), Is.Not.Empty);

        await browser.VisitAsync(session =>
        {
            session.SetInt32("n", 5);
            Assert.That(_stack.KeyOf(session.Id), Is.EqualTo(key));
        });
        Assert.That(browser.SessionCookie!.Value, Is.EqualTo(cookie));
    }

    [Test]
    public async Task The_absolute_timeout_bounds_every_renewal_and_is_counted_by_the_server()
    {
        using var browser = _limited.NewBrowser();
        var key = await NewSessionAsync(browser);

        // Made 15 of its 20 minutes ago: 5 are left, fewer than the idle timeout.
        long created = DateTimeOffset.UtcNow.AddMinutes(-15).ToUnixTimeMilliseconds();
        await _redis.HashSetAsync(key, "@created", created);
        foreach (var use in (Action<ISession>[])[session => session.GetInt("n"), session => session.SetInt32("n", 2), _ => { }])
        {
            await _redis.KeyExpireAsync(key, NearlyOver);
            await browser.VisitAsync(use);
            Assert.That(
                async () => await _redis.KeyTimeToLiveAsync(key),
                Is.EqualTo(TimeSpan.FromMinutes(5)).Within(TimeSpan.FromSeconds(30)).After(5000, 10));
        }

        await _redis.HashSetAsync(key, "@created", DateTimeOffset.UtcNow.AddMinutes(-21).ToUnixTimeMilliseconds());
        await browser.VisitAsync(_ => { });
        Assert.That(async () => await _redis.KeyExistsAsync(key), Is.False.After(5000, 10));
    }

    [Test]
    public async Task A_write_after_the_absolute_end_begins_a_new_session_and_keeps_nothing_of_the_old()
    {
        using var browser = _limited.NewBrowser();
        var key = await NewSessionAsync(browser);
        await _redis.HashSetAsync(key, "@created", DateTimeOffset.UtcNow.AddMinutes(-21).ToUnixTimeMilliseconds());
        await browser.VisitAsync(session => session.SetInt32("m", 2));
        Assert.That((await _redis.HashKeysAsync(key)).Select(field => (string?)field), Is.EquivalentTo(["@gen", "@created", "m"]));
    }

    // Other programs may write into the hash.
    [Test]
    public async Task A_creation_time_that_is_no_time_counts_as_now([Values("yesterday", "", "nan", "1e999")] string created)
    {
        using var browser = _limited.NewBrowser();
        var key = await NewSessionAsync(browser);
        await _redis.HashSetAsync(key, "@created", created);
        foreach (var use in (Action<ISession>[])[session => session.GetInt("n"), session => session.SetInt32("m", 2), _ => { }])
        {
            await _redis.KeyExpireAsync(key, NearlyOver);
            await browser.VisitAsync(use);
            Assert.That(async () => await _redis.KeyTimeToLiveAsync(key), Is.EqualTo(Idle).Within(TimeSpan.FromSeconds(30)).After(5000, 10));
        }

        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["n", "m"]));
    }

    private async Task<RedisKey> NewSessionAsync(Browser browser) => _stack.KeyOf(await browser.VisitAsync(session =>
    {
        session.SetValue("n", 1);
        return session.Id;
    }));
}
