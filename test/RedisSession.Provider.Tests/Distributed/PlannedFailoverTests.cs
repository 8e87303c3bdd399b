namespace RedisSession.Provider.Tests;

/// <summary>A primary and its replica change places (FAILOVER), and both keep their connections: nothing tells the client.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class PlannedFailoverTests(ServerKind kind)
{
    [Test]
    public async Task The_new_primary_is_found_after_the_first_refusal(
        [Values] RedisSessionMode mode, [Values] Use use)
    {
        await using var old = await ServerProcess.StartAsync(kind, "--repl-diskless-sync-delay", "0");
        await using var replica = await ServerProcess.StartAsync(kind, "--replicaof", "127.0.0.1", $"{old.Port}");
        await Until.TrueAsync("the replica follows", async () =>
            (await old.AskAsync("INFO", "replication")).Line("slave0")?.Contains("state=online", StringComparison.Ordinal) is true);
        await using var app = await TestApp.StartAsync($"{old.ConfigurationString},{replica.ConfigurationString}", options =>
            (options.Mode, options.FailureMode, options.RefreshInterval) = (mode, FailureMode.Throw, TimeSpan.Zero));
        using var browser = app.NewBrowser();
        await browser.SetStringAsync();
        await old.AskAsync("FAILOVER");
        await Until.TrueAsync("they have changed places", async () =>
            (await old.AskAsync("INFO", "replication")).Line("master_link_status") == "up"
            && (await replica.AskAsync("INFO", "replication")).Line("role") == "master");

        // By itself the client looks once a minute, and this waits for half as long.
        var multiplexer = (await app.RedisAsync()).Multiplexer;
        await Until.TrueAsync("the new primary is found", async () =>
        {
            using var response = await browser.SendAsync(context => UseAsync(context.Session, use));
            return PrimaryPortsOf(multiplexer).SequenceEqual([replica.Port]);
        });
        await browser.VisitAsync(session => session.SetString("key", "3"));
        Assert.That((await replica.AskAsync("HGET", $"sessions:{browser.SessionId}", "key")).Text, Is.EqualTo("3"));
    }

    private static async Task UseAsync(ISession session, Use use)
    {
        if (use == Use.Reads) session.GetString("key");
        if (use == Use.Awaits) await session.GetStrAsync("key"); // a refresh of the session goes with it
        if (use == Use.Writes) await session.SetAsync("key", "2"u8.ToArray());
        if (use == Use.Increments) await session.IncrementAsync("count");
    }

    private static IEnumerable<int> PrimaryPortsOf(IConnectionMultiplexer multiplexer) => multiplexer.GetServers()
        .Where(server => server is { IsConnected: true, IsReplica: false })
        .Select(server => ((IPEndPoint)server.EndPoint).Port);

    internal enum Use
    {
        Reads,
        Awaits,
        Writes,
        Increments,
    }
}
