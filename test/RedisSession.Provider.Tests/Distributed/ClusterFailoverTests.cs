using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>A primary of a cluster dies while everybody writes.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
[Category(FullRun.Only)]
internal sealed class ClusterFailoverTests(ServerKind kind)
{
    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();

    [Test]
    public async Task Service_resumes_by_itself_and_no_session_is_corrupted()
    {
        await using var cluster = await RedisCluster.StartAsync(kind);
        await using var buffered = await StartAppAsync(cluster, RedisSessionMode.Buffered);
        await using var live = await StartAppAsync(cluster, RedisSessionMode.Live);
        await using var crowd = new WritingCrowd();
        foreach (var primary in await cluster.PrimariesAsync())
        {
            await crowd.AddAsync(buffered, async visitor => await cluster.PrimaryOfAsync(KeyOf(visitor)) == primary);
            await crowd.AddAsync(live, async visitor => await cluster.PrimaryOfAsync(KeyOf(visitor)) == primary);
        }

        await crowd.StartAsync();
        var killed = await cluster.KillPrimaryOfAsync(KeyOf(crowd.Visitors[0]));
        var disaster = DateTime.UtcNow;
        await cluster.WaitForFailoverAsync(killed);
        var takenOver = DateTime.UtcNow - disaster;
        await crowd.UntilEveryoneHasWrittenSinceAsync(disaster + takenOver);
        var report = await crowd.StopAsync();

        TestContext.Progress.WriteLine($"Cluster of {kind}: a replica took over after {takenOver.TotalSeconds:0.00} s. {report}");
        Assert.That(report.Oddities, Is.Empty);
        Assert.That(report.Lost.Where(write => write.Begun > disaster), Is.Empty, "confirmed by the new primary, and not there");
        Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync(await cluster.PrimariesAsync(), ExpiryAudit.SessionKeys), Is.Empty);
    }

    private string KeyOf(WritingVisitor visitor) => $"{_keyPrefix}sessions:{visitor.SessionId}";

    private Task<TestApp> StartAppAsync(RedisCluster cluster, RedisSessionMode mode) => TestApp.StartAsync(services =>
        services.AddRedisHashSession(options =>
        {
            options.Configuration = cluster.ConfigurationString;
            options.KeyPrefix = _keyPrefix;
            (options.Mode, options.FailureMode) = (mode, FailureMode.Throw);
        }));
}
