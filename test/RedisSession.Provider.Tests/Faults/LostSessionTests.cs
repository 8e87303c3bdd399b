namespace RedisSession.Provider.Tests;

/// <summary>What Redis itself loses, or brings back, whoever writes to it: docs/operating.md.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class LostSessionTests(ServerKind kind)
{
    [Test]
    public async Task A_snapshot_brings_sessions_back_that_were_signed_out_of_and_loses_those_that_began_since()
    {
        await using var own = await OwnServerApp.StartAsync(kind, _ => { });
        using var later = own.App.NewBrowser();
        using var thief = own.Browser.Twin();
        await own.Server.AskAsync("SAVE");
        await own.Browser.VisitAsync(context => context.AbandonSessionAsync());
        await later.SetStringAsync();
        Assert.That(await thief.GetStringAsync("key"), Is.Null);

        await own.Server.RestartAsync();
        await thief.UntilServedAsync(context => context.Session.LoadAsync());
        Assert.That(await thief.GetStringAsync("key"), Is.EqualTo("1"));
        Assert.That(await later.ContentAsync(), Is.Empty);
    }

    [Test]
    public async Task Eviction_takes_sessions_and_only_event_1_tells_and_what_has_no_TTL_stays_where_the_policy_spares_it(
        [Values("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-random")] string policy)
    {
        bool isSpared = policy.StartsWith("volatile", StringComparison.Ordinal);
        await using var own = await OwnServerApp.StartAsync(kind, _ => { }, serverArguments: ["--maxmemory-policy", policy]);
        await own.Server.AskAsync("SET", "data-protection-keys", "1");

        await own.Server.AskAsync("CONFIG", "SET", "maxmemory", "1");
        await Until.TrueAsync("the session is evicted", async () =>
            (await own.Server.AskAsync("EXISTS", "data-protection-keys")).Number == (isSpared ? 1 : 0)
            && await own.App.Directory.CountAsync() == 0);
        Assert.That(await own.Browser.GetStringAsync("key"), Is.Null);

        Assert.That(own.App.Logs.Of(SessionEvents.AccessingExpiredSession), Has.Count.EqualTo(1));
        Assert.That(own.App.Logs.All.Where(entry => entry.Level > LogLevel.Information), Is.Empty);
    }
}
