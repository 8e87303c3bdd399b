namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// The servers of a comparison: one of each variant, which stays for the whole run, and another for the workloads in which threads wait, so
/// that what those do to its thread pool is not in what the others measure.
/// </summary>
internal sealed class CompareServers(CompareSettings settings, RedisUnderTest redis) : IAsyncDisposable
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    // One after the other: enough for the JIT to be done, and too few at a time for the pool to grow.
    private const int BlockingWarmUpRequests = 500;

    private readonly Dictionary<(SessionVariant Variant, bool Blocks), ServerUnderTest> _servers = [];

    /// <summary>Starts all that are needed, so that none pays for its start later.</summary>
    /// <exception cref="BenchmarkException">A variant does not work at all.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var workload in settings.Workloads)
        {
            await Console.Error.WriteLineAsync($"warming up: {workload.Name}");
            foreach (var variant in settings.Variants)
            {
                await WarmUpAsync(variant, await GetAsync(variant, workload.Blocks, cancellationToken), workload, cancellationToken);
            }
        }
    }

    /// <summary>The one that does such workloads; another one where the last has been given up.</summary>
    public async Task<ServerUnderTest> GetAsync(SessionVariant variant, bool blocks, CancellationToken cancellationToken)
    {
        if (_servers.TryGetValue((variant, blocks), out var running)) return running;

        var server = await ServerUnderTest.StartAsync(variant, redis.Address, cancellationToken);
        _servers.Add((variant, blocks), server);
        var state = await server.AskStateAsync(cancellationToken);
        if (state?.DedicatedThreads != variant.DedicatedThreads)
            throw new BenchmarkException($"{variant.Name} runs with DedicatedThreads = {state?.DedicatedThreads}.");
        return server;
    }

    /// <summary>Gives up one that has stalled; the next one is warmed up again.</summary>
    public async Task ReplaceAsync(SessionVariant variant, Workload workload, CancellationToken cancellationToken)
    {
        if (_servers.Remove((variant, workload.Blocks), out var stalled)) await stalled.DisposeAsync();
        await WarmUpAsync(variant, await GetAsync(variant, workload.Blocks, cancellationToken), workload, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values) await server.DisposeAsync();
    }

    private async Task WarmUpAsync(
        SessionVariant variant, ServerUnderTest server, Workload workload, CancellationToken cancellationToken)
    {
        bool works = workload.Blocks
            ? await WorksOneByOneAsync(server, workload, cancellationToken)
            : (await new LoadTrial(redis, settings.Connections, WarmUp).RunAsync(server, workload, cancellationToken)) is { Rate: > 0 };
        if (!works) throw new BenchmarkException($"{variant.Name} fails with {workload.Name}.");
    }

    private static async Task<bool> WorksOneByOneAsync(ServerUnderTest server, Workload workload, CancellationToken cancellationToken)
    {
        using var visitor = await Visitor.ArriveAsync(server.Address, workload, cancellationToken);
        for (int i = 0; i < BlockingWarmUpRequests; i++)
        {
            var phase = await Phase.BurstAsync([visitor], cancellationToken);
            if (phase.Count(Outcome.Answered) == 0) return false;
        }

        return true;
    }
}
