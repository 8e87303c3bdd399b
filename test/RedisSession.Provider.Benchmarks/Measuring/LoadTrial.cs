namespace RedisSession.Provider.Benchmarks;

/// <summary>Lets some visitors do a workload for some seconds, and counts what that costs whom.</summary>
internal sealed record LoadTrial(RedisUnderTest Redis, int Connections, TimeSpan Duration)
{
    // For the last answers, so that a server that has stalled does not hold up everything.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>With new visitors, each with one session.</summary>
    public async Task<Measurement> RunAsync(ServerUnderTest server, Workload workload, CancellationToken cancellationToken)
    {
        using var crowd = await Crowd.ArriveAsync(server.Address, workload, Connections, Connections, cancellationToken);
        var measurement = await RunAsync(server, crowd, cancellationToken);
        if (measurement.IsAnswering && measurement.Failures.NoAnswer == 0) await crowd.LeaveAsync(cancellationToken);
        return measurement;
    }

    /// <summary>With visitors who are there.</summary>
    public async Task<Measurement> RunAsync(ServerUnderTest server, Crowd crowd, CancellationToken cancellationToken)
    {
        var before = await server.AskStateAsync(cancellationToken);
        var redisBefore = await Redis.CountAsync();
        var phase = await Phase.SustainAsync(crowd.Visitors, Duration, cancellationToken, Patience);
        var redis = await Redis.CountAsync() - redisBefore;
        return new(phase, before, await server.AskStateAsync(cancellationToken), redis);
    }
}
