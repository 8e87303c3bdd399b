using System.Diagnostics;

namespace RedisSession.Provider.Benchmarks;

/// <summary>One outage that one variant goes through.</summary>
internal sealed class OutageTrial(SessionVariant variant, string redis, TimeSpan outage, int count)
{
    // The server's own timeouts are over by then.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public async Task<IReadOnlyList<Visit>> RunAsync(CancellationToken cancellationToken)
    {
        await using var relay = new OutageRelay(redis);
        await using var server = await ServerUnderTest.StartAsync(variant, relay.EndPoint.ToString(), cancellationToken);
        var workload = Workload.Named("counter").Single();
        var visitors = new List<Visitor>();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (visitors.Count < count) visitors.Add(await Visitor.ArriveAsync(server.Address, workload, cancellationToken));
            foreach (var visitor in visitors) await visitor.VisitAsync(Stopwatch.StartNew(), cancellationToken);

            patience.CancelAfter((2 * outage) + Patience);
            var clock = Stopwatch.StartNew();
            var away = BeAwayAsync(relay, clock, cancellationToken);
            var visits = visitors.Select(async (visitor, i) =>
            {
                await UntilAsync(clock, 2 * outage * i / count, cancellationToken);
                return await visitor.VisitAsync(clock, patience.Token);
            });
            var all = await Task.WhenAll(visits);
            await away;
            cancellationToken.ThrowIfCancellationRequested();
            return all;
        }
        finally
        {
            visitors.ForEach(visitor => visitor.Dispose());
        }
    }

    private async Task BeAwayAsync(OutageRelay relay, Stopwatch clock, CancellationToken cancellationToken)
    {
        await UntilAsync(clock, outage / 2, cancellationToken);
        relay.Down();
        await UntilAsync(clock, outage * 1.5, cancellationToken);
        relay.Up();
    }

    private static async Task UntilAsync(Stopwatch clock, TimeSpan moment, CancellationToken cancellationToken)
    {
        if (moment - clock.Elapsed is { Ticks: > 0 } left) await Task.Delay(left, cancellationToken);
    }
}
