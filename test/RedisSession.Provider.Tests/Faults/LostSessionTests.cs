using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>What Redis itself loses, or brings back, whoever writes to it: docs/operating.md.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class LostSessionTests(ServerKind kind)
{
    [Test]
    public async Task A_snapshot_brings_sessions_back_that_were_signed_out_of_and_loses_those_that_began_since()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await TestApp.StartAsync(server.ConfigurationString);
        await using var admin = await ConnectAsync(server);
        using var browser = app.NewBrowser();
        using var later = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        using var thief = browser.Twin();
        await admin.GetDatabase().ExecuteAsync("SAVE");
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        await later.VisitAsync(session => session.SetString("key", "2"));
        Assert.That(await thief.VisitAsync(session => session.GetString("key")), Is.Null);

        await server.RestartAsync();
        Assert.That(await UntilServedAsync(thief), Is.EqualTo("1"));
        Assert.That(await later.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
    }

    [TestCase("volatile-lru", true)]
    [TestCase("volatile-lfu", true)]
    [TestCase("volatile-random", true)]
    [TestCase("volatile-ttl", true)]
    [TestCase("allkeys-lru", false)]
    [TestCase("allkeys-random", false)]
    public async Task Eviction_takes_sessions_and_only_event_1_tells_and_what_has_no_TTL_stays_where_the_policy_spares_it(
        string policy, bool isSpared)
    {
        await using var server = await ServerProcess.StartAsync(kind, "--maxmemory-policy", policy);
        await using var app = await TestApp.StartAsync(server.ConfigurationString);
        await using var admin = await ConnectAsync(server);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        await admin.GetDatabase().StringSetAsync("data-protection-keys", "1");

        await admin.GetServers().Single().ConfigSetAsync("maxmemory", "1");
        await Until.TrueAsync("the session is evicted", async () => await admin.GetDatabase().KeyExistsAsync("data-protection-keys") == isSpared
            && await app.Services.GetRequiredService<IRedisSessionDirectory>().CountAsync() == 0);
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.Null);

        Assert.That(app.Logs.Of(SessionEvents.AccessingExpiredSession), Has.Count.EqualTo(1));
        Assert.That(app.Logs.All.Where(entry => entry.Level > Microsoft.Extensions.Logging.LogLevel.Information), Is.Empty);
    }

    private static Task<ConnectionMultiplexer> ConnectAsync(ServerProcess server) =>
        ConnectionMultiplexer.ConnectAsync(server.ConfigurationString + ",allowAdmin=true");

    private static async Task<string?> UntilServedAsync(Browser browser)
    {
        string? value = null;
        await Until.TrueAsync("Redis is found again", async () =>
        {
            using var response = await browser.SendAsync(async context => value = await context.Session.GetStrAsync("key"));
            return response.IsSuccessStatusCode;
        });
        return value;
    }
}
