namespace RedisSession.Provider.Benchmarks;

/// <summary>One variant in one round.</summary>
internal sealed record BlockingTrial(
    int Round, SessionVariant Variant, Phase Burst, Phase Sustained, ServerState Before, ServerState? AfterBurst, ServerState? End)
{
    // One after the other: enough for the JIT to be done, and too few at a time for the pool to grow.
    private const int WarmUpRequests = 1_000;

    // For what the JIT still compiles in the background, and for writes that come after their answers.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(500);

    /// <exception cref="BenchmarkException">The variant does not work at all.</exception>
    public static async Task<BlockingTrial> RunAsync(
        int round, SessionVariant variant, string redis, BlockingSettings settings, CancellationToken cancellationToken)
    {
        await using var server = await ServerUnderTest.StartAsync(variant, redis, cancellationToken, settings.Reads);
        var workload = Workload.Synchronous(BenchmarkServer.ReadsName, "", settings.Reads);
        int count = Math.Max(settings.Requests, BlockingSettings.SustainedConnections);
        using var crowd = await Crowd.ArriveAsync(server.Address, workload, count, count, cancellationToken);
        await WarmUpAsync(variant, crowd.Visitors, cancellationToken);

        var before = await server.AskStateAsync(cancellationToken)
            ?? throw new BenchmarkException($"{variant.Name} does not answer any more after one request at a time.");
        if (before.DedicatedThreads != variant.DedicatedThreads)
            throw new BenchmarkException($"{variant.Name} runs with DedicatedThreads = {before.DedicatedThreads}.");

        var burst = await Phase.BurstAsync([.. crowd.Visitors.Take(settings.Requests)], cancellationToken);
        var afterBurst = await server.AskStateAsync(cancellationToken);
        var sustained = await Phase.SustainAsync(
            [.. crowd.Visitors.Take(BlockingSettings.SustainedConnections)], settings.Sustained, cancellationToken);
        return new(round, variant, burst, sustained, before, afterBurst, await server.AskStateAsync(cancellationToken));
    }

    private static async Task WarmUpAsync(SessionVariant variant, IReadOnlyList<Visitor> visitors, CancellationToken cancellationToken)
    {
        for (int i = 0; i < WarmUpRequests; i++)
        {
            var phase = await Phase.BurstAsync([visitors[i % visitors.Count]], cancellationToken);
            if (phase.Count(Outcome.Answered) == 0) throw new BenchmarkException($"{variant.Name} fails with one request at a time.");
        }

        await Task.Delay(Settle, cancellationToken);
    }
}
