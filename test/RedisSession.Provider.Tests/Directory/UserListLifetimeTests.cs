using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>A session is in its user's list as long as it lives, and the list ends soon after the last one.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class UserListLifetimeTests(ServerKind kind)
{
    private readonly OurStack _stack = new(kind);

    [Test]
    public async Task A_session_that_untouched_requests_keep_alive_stays_in_the_list([Values] bool byName)
    {
        var idle = TimeSpan.FromSeconds(2);
        await using var one = await _stack.StartAsync(options => options.IdleTimeout = idle);
        await using var other = await _stack.StartAsync(options => options.IdleTimeout = idle);
        string user = NewUser();
        using var browser = one.NewBrowser();
        string id = await NewSessionAsync(browser, byName ? null : user);
        if (byName) id = await RenewAsync(browser, user);

        var redis = await _stack.DatabaseAsync();
        var clock = Stopwatch.StartNew();
        for (int i = 0; clock.Elapsed < 4 * idle; i++)
        {
            await browser.At(i % 5 == 0 ? other : one).VisitAsAsync(byName ? null : user, _ => { });
            Assert.That(await redis.KeyExistsAsync(_stack.KeyOf(id)), Is.True, $"after {clock.Elapsed} the session is gone");
            Assert.That(await FindAsync(one, user), Is.EqualTo([id]), $"after {clock.Elapsed}");
            await Task.Delay(50);
        }
    }

    /// <summary>Its last use is one that had no need to look after the list.</summary>
    [Test]
    public async Task A_session_is_in_the_list_to_its_last_moment()
    {
        var idle = TimeSpan.FromSeconds(4);
        await using var app = await _stack.StartAsync(options => options.IdleTimeout = idle);
        string user = NewUser();
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser, user);
        await Task.Delay(idle / 12);
        await browser.VisitAsAsync(user, _ => { });

        var redis = await _stack.DatabaseAsync();
        int looks = 0;
        for (; await redis.KeyExistsAsync(_stack.KeyOf(id)); looks++)
        {
            var found = await FindAsync(app, user);
            if (await redis.KeyExistsAsync(_stack.KeyOf(id))) Assert.That(found, Is.EqualTo([id]), $"look {looks}");
            await Task.Delay(10);
        }

        Assert.That(looks, Is.GreaterThan(10));
    }

    [Test]
    public async Task A_session_that_has_expired_is_not_found_and_its_list_does_not_outlive_it_by_the_idle_timeout([Values] bool byName)
    {
        var idle = TimeSpan.FromMilliseconds(800);
        await using var app = await _stack.StartAsync(options => options.IdleTimeout = idle);
        string user = NewUser();
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser, byName ? null : user);
        if (byName) id = await RenewAsync(browser, user);
        await browser.VisitAsAsync(user, _ => { });

        var redis = await _stack.DatabaseAsync();
        await Until.TrueAsync("the session has expired", async () => !await redis.KeyExistsAsync(_stack.KeyOf(id)));
        Assert.That(await FindAsync(app, user), Is.Empty);
        Assert.That((await ListTimeToLiveAsync(user)) ?? TimeSpan.Zero, Is.LessThanOrEqualTo(idle));
        await Until.TrueAsync("the list is gone", async () => await ListTimeToLiveAsync(user) is null);
    }

    [Test]
    public async Task A_session_that_somebody_else_has_removed_is_not_found()
    {
        await using var app = await _stack.StartAsync();
        string user = NewUser();
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser, user);
        using var second = app.NewBrowser();
        string secondId = await NewSessionAsync(second, user);
        await (await _stack.DatabaseAsync()).KeyDeleteAsync(_stack.KeyOf(id));
        Assert.That(await FindAsync(app, user), Is.EqualTo([secondId]));
    }

    /// <summary>Where the absolute timeout ends the session before its idle timeout does, the list knows.</summary>
    [Test]
    public async Task The_list_does_not_outlive_the_absolute_timeout_by_the_idle_timeout([Values] bool renews)
    {
        var idle = TimeSpan.FromMinutes(10);
        void Limit(RedisHashSessionOptions options) =>
            (options.IdleTimeout, options.AbsoluteTimeout, options.RefreshInterval) = (idle, 2 * idle, TimeSpan.Zero);

        await using var app = await _stack.StartAsync(Limit);
        await using var other = await _stack.StartAsync(Limit);
        string user = NewUser();
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser, user);
        Assert.That(await ListTimeToLiveAsync(user), Is.InRange(idle, idle * 1.25));
        var redis = await _stack.DatabaseAsync();
        var created = DateTimeOffset.UtcNow - (2 * idle) + TimeSpan.FromMinutes(1);
        await redis.HashSetAsync(_stack.KeyOf(id), "@created", created.ToUnixTimeMilliseconds());
        browser.At(other);
        if (renews) await RenewAsync(browser, user);
        else await browser.VisitAsAsync(user, session => session.GetString("key"));
        await Until.TrueAsync(
            "the list ends with the session", async () => await ListTimeToLiveAsync(user) < TimeSpan.FromMinutes(1) + (idle / 2));
        Assert.That(await FindAsync(app, user), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task A_list_has_all_sessions_of_its_user_and_loses_those_that_end()
    {
        await using var app = await _stack.StartAsync();
        string user = NewUser();
        var browsers = Enumerable.Range(0, 5).Select(_ => app.NewBrowser()).ToArray();
        var ids = new List<string>();
        foreach (var browser in browsers) ids.Add(await NewSessionAsync(browser, user));
        Assert.That(await FindAsync(app, user), Is.EquivalentTo(ids));
        for (int i = 0; i < browsers.Length; i++)
        {
            await browsers[i].VisitAsync(context => context.AbandonSessionAsync());
            Assert.That(await FindAsync(app, user), Is.EquivalentTo(ids.Skip(i + 1)));
            browsers[i].Dispose();
        }

        await Until.TrueAsync("the list is gone", async () => await ListTimeToLiveAsync(user) is null);
    }

    private static string NewUser() => $"user {Guid.NewGuid()}";

    private async Task<TimeSpan?> ListTimeToLiveAsync(string user) =>
        await (await _stack.DatabaseAsync()).KeyTimeToLiveAsync(SessionHashLayout.UserKeyOf(_stack.KeyPrefix, user));

    private static ValueTask<string[]> FindAsync(TestApp app, string user) =>
        app.Services.GetRequiredService<IRedisSessionDirectory>().FindByUserAsync(user).Select(session => session.Id).ToArrayAsync();

    private static Task<string> NewSessionAsync(Browser browser, string? user) => browser.VisitAsAsync(user, session =>
    {
        session.SetString("key", "old");
        return session.Id;
    });

    private static Task<string> RenewAsync(Browser browser, string? user) => browser.VisitAsync(async context =>
    {
        await context.RenewSessionAsync(user);
        return context.Session.Id;
    });
}
