namespace RedisSession.Provider.Benchmarks;

/// <summary>Ours beside stock and beside the floor, interleaved.</summary>
internal static class CompareCommand
{
    public const string Name = "compare";

    public static Command Command { get; } =
        new(Name, "ours beside AddSession with RedisCache, and beside the least that Redis could do", Help(), RunAsync);

    private static async Task RunAsync(Options options, CancellationToken cancellationToken)
    {
        var settings = CompareSettings.From(options);
        await using var redis = await RedisUnderTest.StartAsync(settings.Redis);
        var cells = await MeasureAsync(settings, redis, cancellationToken);
        var roundTrips = settings.CountRoundTrips ? await CountRoundTripsAsync(settings, redis, cancellationToken) : [];
        await Console.Out.WriteAsync(CompareReport.Write(cells, roundTrips, settings, redis.Version));
    }

    private static async Task<List<ComparedCell>> MeasureAsync(
        CompareSettings settings, RedisUnderTest redis, CancellationToken cancellationToken)
    {
        await using var servers = await WarmServers.StartAsync(redis, settings.Variants, settings.Workloads, settings.Connections, cancellationToken);

        var cells = new List<ComparedCell>();
        for (int round = 0; round < settings.Rounds; round++)
        {
            foreach (var (number, workload) in settings.Workloads.Index())
            {
                await Console.Error.WriteAsync($"round {round + 1} of {settings.Rounds}: {workload.Name}");
                var trial = new LoadTrial(redis, settings.Connections, settings.DurationOf(workload));
                foreach (var variant in settings.Variants.InTurn(round + number))
                {
                    var measurement = await trial.RunAsync(servers.Of(variant, workload), workload, cancellationToken);
                    cells.Add(new(round, variant, workload, measurement));
                    await Console.Error.WriteAsync($" · {variant.Name} {measurement.Rate:0}");
                    if (!measurement.IsAnswering) await servers.ReplaceAsync(variant, workload, cancellationToken);
                }

                await Console.Error.WriteLineAsync();
            }
        }

        return cells;
    }

    private static async Task<Dictionary<SessionVariant, Dictionary<Workload, RoundTripCount>>> CountRoundTripsAsync(
        CompareSettings settings, RedisUnderTest redis, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<SessionVariant, Dictionary<Workload, RoundTripCount>>();
        foreach (var variant in settings.Variants)
        {
            await Console.Error.WriteLineAsync($"counting round trips: {variant.Name}");
            counts.Add(variant, await RoundTripTrial.RunAsync(variant, settings.Workloads, redis.Address, cancellationToken));
        }

        return counts;
    }

    private static string Help() =>
        $"""
        {Command.Program} {Name} [OPTIONS]

        Requests over HTTP, on connections that are kept open, to servers that differ in nothing but their sessions. In each round and
        for each workload every variant runs once, one after the other, in an order that rotates. Each variant has a server process that
        stays for the whole run (and one more for the workloads in which threads wait for Redis); this process is the client.
        A small session has {SessionShape.Small}, a large one {SessionShape.Large}.

          --rounds N              rounds (default {CompareSettings.DefaultRounds})
          --seconds N             how long each variant does each workload in a round (default {CompareSettings.DefaultSeconds})
          --sync-seconds N        the same for the workloads sync-… (default: --seconds, or {CompareSettings.DefaultBlockingSeconds})
          --connections N         requests at a time, each with a session of its own (default {CompareSettings.DefaultConnections})
          --only-variants NAME,…  these variants (default {SessionVariant.ComparedNames})
          --workloads NAME,…      these workloads only
          --no-round-trips        does not count round trips
          --redis HOST:PORT       a Redis that runs, in place of starting the redis-server on PATH; sessions stay there for 5 minutes

        Workloads:
        {string.Join(Environment.NewLine, Workload.All.Select(workload => $"  {workload.Name,-18}{workload.Description}"))}

        Variants:
        {string.Join(Environment.NewLine, SessionVariant.All.Select(variant => $"  {variant.Name,-18}{variant.Description}"))}
        """;
}
