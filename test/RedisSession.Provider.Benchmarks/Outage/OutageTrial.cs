using System.Diagnostics;

namespace RedisSession.Provider.Benchmarks;

/// <summary>One outage that one variant goes through.</summary>
internal sealed class OutageTrial(SessionVariant variant, string redis, TimeSpan outage, int count)
{
    // The server's own timeouts are over by then.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public async Task<IReadOnlyList<Visit>> RunAsync(CancellationToken cancellationToken)
    {
        await using var relay = new Relay(redis);
        await using var server = await ServerUnderTest.StartAsync(variant, relay.Address, cancellationToken);
        using var crowd = await Crowd.ArriveAsync(server.Address, Workload.Named("counter").Single(), count, count, cancellationToken);
        foreach (var visitor in crowd.Visitors) await visitor.VisitAsync(Stopwatch.StartNew(), cancellationToken);

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter((2 * outage) + Patience);
        var clock = Stopwatch.StartNew();
        var away = BeAwayAsync(relay, clock, cancellationToken);
        var visits = await Task.WhenAll(crowd.Visitors.Select(async (visitor, i) =>
        {
            await UntilAsync(clock, 2 * outage * i / count, cancellationToken);
            return await visitor.VisitAsync(clock, patience.Token);
        }));
        await away;
        cancellationToken.ThrowIfCancellationRequested();
        return visits;
    }

    private async Task BeAwayAsync(Relay relay, Stopwatch clock, CancellationToken cancellationToken)
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
