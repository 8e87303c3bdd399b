namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// A server of each variant, which stays for the whole run, and another for the workloads in which threads wait, so that what those do to
/// its thread pool is not in what the others measure. All are warmed up before any is measured.
/// </summary>
internal sealed class WarmServers : IAsyncDisposable
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    // One after the other: enough for the JIT to be done, and too few at a time for the pool to grow.
    private const int BlockingWarmUpRequests = 500;

    private readonly Dictionary<(SessionVariant Variant, bool Blocks), ServerUnderTest> _servers = [];
    private readonly RedisUnderTest _redis;
    private readonly int _connections;

    private WarmServers(RedisUnderTest redis, int connections) => (_redis, _connections) = (redis, connections);

    /// <exception cref="BenchmarkException">A variant does not work at all.</exception>
    public static Task<WarmServers> StartAsync(
        RedisUnderTest redis, IReadOnlyList<SessionVariant> variants, IReadOnlyList<Workload> workloads, int connections,
        CancellationToken cancellationToken) => new WarmServers(redis, connections).ThenAsync(async servers =>
    {
        foreach (var workload in workloads)
        {
            await Console.Error.WriteLineAsync($"warming up: {workload.Name}");
            foreach (var variant in variants) await servers.WarmUpAsync(variant, workload, cancellationToken);
        }

        return servers;
    });

    /// <summary>The one that does such workloads.</summary>
    public ServerUnderTest Of(SessionVariant variant, Workload workload) => _servers[(variant, workload.Blocks)];

    /// <summary>Gives up one that has stalled for another one.</summary>
    public async Task ReplaceAsync(SessionVariant variant, Workload workload, CancellationToken cancellationToken)
    {
        if (_servers.Remove((variant, workload.Blocks), out var stalled)) await stalled.DisposeAsync();
        await WarmUpAsync(variant, workload, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values) await server.DisposeAsync();
    }

    private async Task WarmUpAsync(SessionVariant variant, Workload workload, CancellationToken cancellationToken)
    {
        if (!_servers.TryGetValue((variant, workload.Blocks), out var server))
            _servers.Add((variant, workload.Blocks), server = await StartAsync(variant, cancellationToken));

        bool works = workload.Blocks
            ? await WorksOneByOneAsync(server, workload, cancellationToken)
            : (await new LoadTrial(_redis, _connections, WarmUp).RunAsync(server, workload, cancellationToken)) is { Rate: > 0 };
        if (!works) throw new BenchmarkException($"{variant.Name} fails with {workload.Name}.");
    }

    private async Task<ServerUnderTest> StartAsync(SessionVariant variant, CancellationToken cancellationToken)
    {
        var server = await ServerUnderTest.StartAsync(variant, _redis.Address, cancellationToken);
        var state = await server.AskStateAsync(cancellationToken);
        if (state?.DedicatedThreads == variant.DedicatedThreads) return server;
        await server.DisposeAsync();
        throw new BenchmarkException($"{variant.Name} runs with DedicatedThreads = {state?.DedicatedThreads}.");
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
