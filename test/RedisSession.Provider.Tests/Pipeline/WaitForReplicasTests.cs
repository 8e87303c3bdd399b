namespace RedisSession.Provider.Tests;

/// <summary>Writes that count only when replicas have them. Each test owns a primary and, where it needs one, a replica.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class WaitForReplicasTests(ServerKind kind)
{
    [Test]
    public async Task A_write_is_confirmed_when_the_replica_has_it()
    {
        await using var primary = await ServerProcess.StartAsync(kind, "--repl-diskless-sync-delay", "0");
        await using var replica = await ServerProcess.StartAsync(kind, "--replicaof", "127.0.0.1", $"{primary.Port}");
        await using var app = await StartAsync(primary);
        using var browser = app.NewBrowser();
        await UntilReplicatedAsync(browser);
        string id = await browser.VisitAsync(async context =>
        {
            await context.Session.SetAsync("key", "1"u8.ToArray());
            return context.Session.Id;
        });
        await using var look = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(replica.ConfigurationString);
        Assert.That((string?)await look.GetDatabase().HashGetAsync($"sessions:{id}", "key"), Is.EqualTo("1"));
    }

    [Test]
    public async Task Without_a_replica_the_write_fails_and_says_so()
    {
        await using var primary = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(primary);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(async context =>
        {
            var error = await Assert.ThrowsAsync<SessionNotReplicatedException>(() => context.Session.SetAsync("key", [1]));
            Assert.That(error!.SessionId, Is.EqualTo(context.Session.Id));
            Assert.That(await context.Session.GetRawAsync("key"), Is.EqualTo(new byte[] { 1 }), "it is on the primary, and reading works");
        });
    }

    private static Task<TestApp> StartAsync(ServerProcess primary) => TestApp.StartAsync(
        primary.ConfigurationString, options => (options.WaitForReplicas, options.FailureMode) = (1, FailureMode.Throw));

    private static Task UntilReplicatedAsync(Browser browser) => Until.TrueAsync("the replica is synchronized", () => browser.VisitAsync(
        context => Attempt.IsDoneAsync<SessionNotReplicatedException>(() => context.Session.SetAsync("key", [0]))));
}
