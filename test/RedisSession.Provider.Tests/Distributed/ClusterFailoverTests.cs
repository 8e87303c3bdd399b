namespace RedisSession.Provider.Tests;

/// <summary>A primary of a cluster dies while everybody writes.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Category(FullRun.Only)]
internal sealed class ClusterFailoverTests(ServerKind kind)
{
    [Test]
    public async Task Service_resumes_by_itself_and_no_session_is_corrupted()
    {
        await using var cluster = await RedisCluster.StartAsync(kind);
        await using var failover = await Failover.StartAsync(cluster.ConfigurationString);
        foreach (var primary in await cluster.PrimariesAsync())
            await failover.AddVisitorsAsync(async key => await cluster.PrimaryOfAsync(key) == primary);
        await failover.IsSurvivedAsync(() => cluster.KillPrimaryOfAsync("any key"), cluster.WaitForFailoverAsync);
        Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync(await cluster.PrimariesAsync(), ExpiryAudit.SessionKeys), Is.Empty);
    }
}
