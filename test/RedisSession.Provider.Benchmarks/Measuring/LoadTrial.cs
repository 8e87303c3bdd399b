namespace RedisSession.Provider.Benchmarks;

/// <summary>Lets some visitors do a workload for some seconds, and counts what that costs whom.</summary>
internal sealed record LoadTrial(RedisUnderTest Redis, int Connections, TimeSpan Duration)
{
    // For the last answers, so that a server that has stalled does not hold up everything.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task<Measurement> RunAsync(ServerUnderTest server, Workload workload, CancellationToken cancellationToken)
    {
        var visitors = new List<Visitor>();
        try
        {
            while (visitors.Count < Connections) visitors.Add(await Visitor.ArriveAsync(server.Address, workload, cancellationToken));

            var before = await server.AskStateAsync(cancellationToken);
            var redisBefore = await Redis.CountAsync();
            var phase = await Phase.SustainAsync(visitors, Duration, cancellationToken, Patience);
            var redis = await Redis.CountAsync() - redisBefore;
            var measurement = new Measurement(phase, before, await server.AskStateAsync(cancellationToken), redis);

            if (measurement.IsAnswering && phase.Count(Outcome.NoAnswer) == 0)
                await Task.WhenAll(visitors.Select(visitor => visitor.LeaveAsync(cancellationToken)));
            return measurement;
        }
        finally
        {
            visitors.ForEach(visitor => visitor.Dispose());
        }
    }
}
