using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>The primary that sentinels watch dies while everybody writes.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable]
[Category(FullRun.Only)]
internal sealed class SentinelFailoverTests(ServerKind kind)
{
    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private (int Workers, int Completions) _usualThreads;

    /// <summary>
    /// While StackExchange.Redis switches to another primary it blocks threads of the pool, and a pool of two, as on two cores, lets
    /// everything stand still for up to ten seconds. Applications with sentinels do well to do the same as this.
    /// </summary>
    [OneTimeSetUp]
    public void HaveThreadsToSpare()
    {
        ThreadPool.GetMinThreads(out _usualThreads.Workers, out _usualThreads.Completions);
        ThreadPool.SetMinThreads(32, _usualThreads.Completions);
    }

    [OneTimeTearDown]
    public void HaveTheUsualThreads() => ThreadPool.SetMinThreads(_usualThreads.Workers, _usualThreads.Completions);

    [Test]
    public async Task Service_resumes_by_itself_and_no_session_is_corrupted()
    {
        await using var trio = await SentinelTrio.StartAsync(kind);
        await using var buffered = await StartAppAsync(trio, RedisSessionMode.Buffered);
        await using var live = await StartAppAsync(trio, RedisSessionMode.Live);
        await using var crowd = new WritingCrowd();
        for (int i = 0; i < 2; i++)
        {
            await crowd.AddAsync(buffered);
            await crowd.AddAsync(live);
        }

        await crowd.StartAsync();
        var killed = await trio.KillPrimaryAsync();
        var disaster = DateTime.UtcNow;
        await trio.WaitForFailoverAsync(killed);
        var takenOver = DateTime.UtcNow - disaster;
        await crowd.UntilEveryoneHasWrittenSinceAsync(disaster + takenOver);
        var report = await crowd.StopAsync();

        TestContext.Progress.WriteLine($"Sentinels of {kind}: a replica took over after {takenOver.TotalSeconds:0.00} s. {report}");
        Assert.That(report.Oddities, Is.Empty);
        Assert.That(report.Lost.Where(write => write.Begun > disaster), Is.Empty, "confirmed by the new primary, and not there");
        Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync([await trio.PrimaryAsync()], ExpiryAudit.SessionKeys), Is.Empty);
    }

    private Task<TestApp> StartAppAsync(SentinelTrio trio, RedisSessionMode mode) => TestApp.StartAsync(services =>
        services.AddRedisHashSession(options =>
        {
            options.Configuration = trio.ConfigurationString;
            options.KeyPrefix = _keyPrefix;
            (options.Mode, options.FailureMode) = (mode, FailureMode.Throw);
        }));
}
