using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>A session is in its user's list as long as it lives, and the list ends soon after the last one.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable(ParallelScope.All)] // most of it waits
internal sealed class UserListLifetimeTests(ServerKind kind) : BothModesFixture(kind)
{
    [Test]
    public async Task A_session_that_untouched_requests_keep_alive_stays_in_the_list([Values] bool byName)
    {
        var idle = TimeSpan.FromSeconds(5); // a busy machine may not get to it for a second or two
        await using var one = await Stack.StartAsync(options => options.IdleTimeout = idle);
        await using var other = await Stack.StartAsync(options => options.IdleTimeout = idle);
        string user = Somebody.New();
        using var browser = one.NewBrowser();
        string id = await browser.NewSessionAsync(user, byName);

        var clock = Stopwatch.StartNew();
        for (int i = 0; clock.Elapsed < 3 * idle; i++)
        {
            await browser.At(i % 5 == 0 ? other : one).VisitAsAsync(byName ? null : user, _ => { });
            Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(id)), Is.True, $"after {clock.Elapsed} the session is gone");
            Assert.That(await one.Directory.IdsOfAsync(user), Is.EqualTo([id]), $"after {clock.Elapsed}");
            await Task.Delay(50);
        }
    }

    /// <summary>Its last use is one that had no need to look after the list.</summary>
    [Test]
    public async Task A_session_is_in_the_list_to_its_last_moment()
    {
        var idle = TimeSpan.FromSeconds(4);
        await using var app = await Stack.StartAsync(options => options.IdleTimeout = idle);
        string user = Somebody.New();
        using var browser = await app.NewVisitorAsync(user);
        await Task.Delay(idle / 12);
        await browser.VisitAsAsync(user, _ => { });

        int looks = 0;
        for (; await Redis.KeyExistsAsync(KeyOf(browser)); looks++)
        {
            var found = await app.Directory.IdsOfAsync(user);
            if (await Redis.KeyExistsAsync(KeyOf(browser))) Assert.That(found, Is.EqualTo([browser.SessionId]), $"look {looks}");
            await Task.Delay(10);
        }

        Assert.That(looks, Is.GreaterThan(10));
    }

    [Test]
    public async Task A_session_that_has_expired_is_not_found_and_its_list_does_not_outlive_it_by_the_idle_timeout([Values] bool byName)
    {
        var idle = TimeSpan.FromMilliseconds(800);
        await using var app = await Stack.StartAsync(options => options.IdleTimeout = idle);
        string user = Somebody.New();
        using var browser = app.NewBrowser();
        string id = await browser.NewSessionAsync(user, byName);
        await browser.VisitAsAsync(user, _ => { });

        await Until.TrueAsync("the session has expired", async () => !await Redis.KeyExistsAsync(Stack.KeyOf(id)));
        Assert.That(await app.Directory.IdsOfAsync(user), Is.Empty);
        Assert.That((await ListTimeToLiveAsync(user)) ?? TimeSpan.Zero, Is.LessThanOrEqualTo(idle));
        await Until.TrueAsync("the list is gone", async () => await ListTimeToLiveAsync(user) is null);
    }

    [Test]
    public async Task A_session_that_somebody_else_has_removed_is_not_found()
    {
        string user = Somebody.New();
        using var browser = await App.NewVisitorAsync(user);
        using var second = await App.NewVisitorAsync(user);
        await Redis.KeyDeleteAsync(KeyOf(browser));
        Assert.That(await Directory.IdsOfAsync(user), Is.EqualTo([second.SessionId]));
    }

    /// <summary>Where the absolute timeout ends the session before its idle timeout does, the list knows.</summary>
    [Test]
    public async Task The_list_does_not_outlive_the_absolute_timeout_by_the_idle_timeout([Values] bool renews)
    {
        var idle = TimeSpan.FromMinutes(10);
        void Limit(RedisHashSessionOptions options) =>
            (options.IdleTimeout, options.AbsoluteTimeout, options.RefreshInterval) = (idle, 2 * idle, TimeSpan.Zero);

        await using var app = await Stack.StartAsync(Limit);
        await using var other = await Stack.StartAsync(Limit);
        string user = Somebody.New();
        using var browser = await app.NewVisitorAsync(user);
        Assert.That(await ListTimeToLiveAsync(user), Is.InRange(idle, idle * 1.25));
        var created = DateTimeOffset.UtcNow - (2 * idle) + TimeSpan.FromMinutes(1);
        await Redis.HashSetAsync(KeyOf(browser), "@created", created.ToUnixTimeMilliseconds());
        browser.At(other);
        if (renews) await browser.RenewAsync(user);
        else await browser.VisitAsAsync(user, session => session.GetString("key"));
        await Until.TrueAsync("the list ends with the session", async () => await ListTimeToLiveAsync(user) < TimeSpan.FromMinutes(1) + (idle / 2));
        Assert.That(await app.Directory.IdsOfAsync(user), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task A_list_has_all_sessions_of_its_user_and_loses_those_that_end()
    {
        string user = Somebody.New();
        var browsers = new List<Browser>();
        for (int i = 0; i < 5; i++) browsers.Add(await App.NewVisitorAsync(user));
        string[] ids = [.. browsers.Select(browser => browser.SessionId)];
        Assert.That(await Directory.IdsOfAsync(user), Is.EquivalentTo(ids));
        foreach (var (i, browser) in browsers.Index())
        {
            await browser.VisitAsync(context => context.AbandonSessionAsync());
            Assert.That(await Directory.IdsOfAsync(user), Is.EquivalentTo(ids[(i + 1)..]));
            browser.Dispose();
        }

        await Until.TrueAsync("the list is gone", async () => await ListTimeToLiveAsync(user) is null);
    }

    private Task<TimeSpan?> ListTimeToLiveAsync(string user) => Redis.KeyTimeToLiveAsync(Stack.UserKeyOf(user));
}
