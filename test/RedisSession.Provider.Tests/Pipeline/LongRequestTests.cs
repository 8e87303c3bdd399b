using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// The idle timeout counts from the end of a request, and what a request asks for or commits while it runs for long keeps its session alive:
/// streams of events, WebSockets, slow reports.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
[Parallelizable]
internal sealed class LongRequestTests(ServerKind kind, Pipeline pipeline)
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan NearlyOver = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private readonly OurStack _stack = new(kind, pipeline);
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task Connect() => _redis = await _stack.DatabaseAsync();

    private static IEnumerable<TestCaseData> Uses()
    {
        yield return new TestCaseData((ISession session) => session.CommitAsync()).SetArgDisplayNames("commits");
        yield return new TestCaseData((ISession session) => session.LoadAsync()).SetArgDisplayNames("loads");
        yield return new TestCaseData((ISession session) => session.ReloadAsync()).SetArgDisplayNames("reloads");
        yield return new TestCaseData((ISession session) => session.GetStrAsync("name").AsTask()).SetArgDisplayNames("reads live");
    }

    [TestCaseSource(nameof(Uses))]
    public async Task A_request_refreshes_the_expiry_again_when_it(Func<ISession, Task> use)
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            await using var app = await StartAsync(mode, Short);
            using var browser = app.NewBrowser();
            var key = await NewSessionAsync(browser);
            await browser.VisitAsync(async context =>
            {
                await context.Session.GetStrAsync("name");
                await Task.Delay(Short * 3);
                await _redis.KeyExpireAsync(key, NearlyOver);
                await use(context.Session);

                // Within the request: nothing of its end has happened yet.
                await Assert.ThatAsync(() => IsRefreshedAsync(key), Is.True);
            });
        }
    }

    [TestCaseSource(nameof(Uses))]
    public async Task Within_a_refresh_interval_it_costs_nothing_when_a_request(Func<ISession, Task> use)
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            await using var app = await StartAsync(mode, Long);
            using var browser = app.NewBrowser();
            var key = await NewSessionAsync(browser);
            await _redis.KeyExpireAsync(key, NearlyOver);
            await browser.VisitAsync(async context =>
            {
                for (int i = 0; i < 10; i++) await use(context.Session);
            });
            Assert.That(await _redis.KeyTimeToLiveAsync(key), Is.LessThanOrEqualTo(NearlyOver));
        }
    }

    [Test]
    public async Task What_has_run_for_a_while_is_refreshed_once_more_at_its_end([Values] RedisSessionMode mode, [Values] bool hasBody)
    {
        await using var app = await StartAsync(mode, Short);
        using var browser = app.NewBrowser();
        var key = await NewSessionAsync(browser);
        await browser.VisitAsync(async context =>
        {
            _ = context.Session.GetString("name");
            if (hasBody) await context.Response.WriteAsync("the response has started");
            await Task.Delay(Short * 3);
            await _redis.KeyExpireAsync(key, NearlyOver);
        });
        await Assert.ThatAsync(() => IsRefreshedAsync(key), Is.True);
    }

    private Task<TestApp> StartAsync(RedisSessionMode mode, TimeSpan refreshInterval) => _stack.StartAsync(options =>
        (options.Mode, options.IdleTimeout, options.RefreshInterval) = (mode, Idle, refreshInterval));

    private async Task<RedisKey> NewSessionAsync(Browser browser)
    {
        string id = await browser.VisitAsync(session =>
        {
            session.SetString("name", "Ada");
            return session.Id;
        });
        return _stack.KeyOf(id);
    }

    /// <summary>Nobody waits for a refresh, so it may still be under way.</summary>
    private async Task<bool> IsRefreshedAsync(RedisKey key)
    {
        for (int i = 0; i < 500; i++)
        {
            if (await _redis.KeyTimeToLiveAsync(key) > NearlyOver * 2) return true;
            await Task.Delay(10);
        }

        return false;
    }
}
