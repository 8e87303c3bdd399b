namespace RedisSession.Provider.Tests;

/// <summary>A primary of a cluster dies while everybody writes.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
[Category(FullRun.Only)]
internal sealed class ClusterFailoverTests(ServerKind kind)
{
    [Test]
    public async Task Service_resumes_by_itself_and_no_session_is_corrupted()
    {
        await using var cluster = await RedisCluster.StartAsync(kind);
        await using var crowd = new WritingCrowd(cluster.ConfigurationString);
        foreach (var primary in await cluster.PrimariesAsync())
        {
            await crowd.AddInEachModeAsync(async visitor => await cluster.PrimaryOfAsync(visitor.SessionKey) == primary);
        }

        await crowd.SurvivesAsync(() => cluster.KillPrimaryOfAsync(crowd.Visitors[0].SessionKey), cluster.WaitForFailoverAsync);
        Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync(await cluster.PrimariesAsync(), ExpiryAudit.SessionKeys), Is.Empty);
    }
}
