using System.Diagnostics;

namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// Counts round trips by the clock: with Redis at the end of a long line, whatever else a request does takes no time in comparison.
/// </summary>
internal static class RoundTripTrial
{
    private const int Requests = 7;

    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(20);

    public static async Task<Dictionary<Workload, RoundTripCount>> RunAsync(
        SessionVariant variant, IReadOnlyList<Workload> workloads, string redis, CancellationToken cancellationToken)
    {
        await using var relay = new Relay(redis, Delay, Delay);
        await using var server = await ServerUnderTest.StartAsync(variant, relay.Address, cancellationToken);
        await using var line = await ConnectionMultiplexer.ConnectAsync(relay.Address);

        var counts = new Dictionary<Workload, RoundTripCount>();
        foreach (var workload in workloads)
        {
            using var visitor = await Visitor.ArriveAsync(server.Address, workload, cancellationToken);
            counts.Add(workload, await CountAsync(visitor, line.GetDatabase(), cancellationToken)
                ?? throw new BenchmarkException($"{variant.Name} fails with {workload.Name} when Redis is far away."));
        }

        return counts;
    }

    /// <summary>Null when the visitor does not find what it should.</summary>
    private static async Task<RoundTripCount?> CountAsync(Visitor visitor, IDatabase line, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        await visitor.VisitAsync(clock, cancellationToken); // scripts are loaded, code is compiled
        await visitor.AskNothingAsync(clock, cancellationToken);

        var answers = new List<double>();
        var rests = new List<double>();
        for (int i = 0; i < Requests; i++)
        {
            var visit = await visitor.VisitAsync(clock, cancellationToken);
            if (visit.Outcome != Outcome.Answered) return null;
            var rest = await visitor.AskNothingAsync(clock, cancellationToken); // waits until the server is done with the visit
            var nothing = await visitor.AskNothingAsync(clock, cancellationToken);
            var roundTrip = await line.PingAsync(); // a little longer than the delays: timers are late
            answers.Add((visit.Latency - nothing) / roundTrip);
            rests.Add((rest - nothing) / roundTrip);
        }

        return new((int)Math.Round(answers.Median()), (int)Math.Round(rests.Median()));
    }
}
