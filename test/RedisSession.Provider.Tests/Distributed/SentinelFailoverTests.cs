namespace RedisSession.Provider.Tests;

/// <summary>The primary that sentinels watch dies while everybody writes.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable]
[Category(FullRun.Only)]
internal sealed class SentinelFailoverTests(ServerKind kind)
{
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
        await using var failover = await Failover.StartAsync(trio.ConfigurationString);
        for (int i = 0; i < 2; i++) await failover.AddVisitorsAsync();
        await failover.IsSurvivedAsync(trio.KillPrimaryAsync, trio.WaitForFailoverAsync);
        Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync([await trio.PrimaryAsync()], ExpiryAudit.SessionKeys), Is.Empty);
    }
}
