namespace RedisSession.Provider.Benchmarks;

/// <summary>How the cost grows with what grows.</summary>
internal static class ScaleCommand
{
    public const string Name = "scale";

    public static Command Command { get; } =
        new(Name, "how cost grows: sessions, keys, value sizes, connections, cluster primaries", Help(), RunAsync);

    private static async Task RunAsync(Options options, CancellationToken cancellationToken)
    {
        var settings = ScaleSettings.From(options);
        await using var single = await RedisUnderTest.StartAsync(settings.Redis);
        await using var servers = await WarmAsync(single, settings, cancellationToken);

        var cells = new List<ScaleCell>();
        foreach (var (part, point) in settings.Parts.SelectMany(part => part.Points.Select(point => (part, point))))
        {
            await Console.Error.WriteLineAsync($"{part.Name}: {point.Label}");
            await using var cluster = point.Primaries is > 0 and var primaries ? await RedisUnderTest.StartClusterAsync(primaries) : null;
            await using var clusterServers = cluster is null ? null : await WarmAsync(cluster, settings, cancellationToken);
            var trial = new ScaleTrial(part, point, cluster ?? single, clusterServers ?? servers, settings);
            cells.AddRange(await trial.RunAsync(cancellationToken));
        }

        await Console.Out.WriteAsync(ScaleReport.Write(cells, settings, single.Version));
    }

    private static Task<WarmServers> WarmAsync(RedisUnderTest redis, ScaleSettings settings, CancellationToken cancellationToken) =>
        WarmServers.StartAsync(
            redis, settings.Variants, ScaleTrial.Workloads(SessionShape.Small), CompareSettings.DefaultConnections, cancellationToken);

    private static string Help() =>
        $"""
        {Command.Program} {Name} [OPTIONS]

        As the command {CompareCommand.Name}, for the workloads read-one and set-one and one circumstance at a time. Where nothing else is
        said there are {CompareSettings.DefaultConnections} connections with a session each, of {SessionShape.Small}.

          --parts NAME,…          these parts only
          --rounds N              rounds at each point (default {ScaleSettings.DefaultRounds})
          --seconds N             how long each variant does each workload in a round (default {ScaleSettings.DefaultSeconds})
          --only-variants NAME,…  these variants (default {ScaleSettings.DefaultVariants})
          --most-sessions N       no points with more sessions (default {ScaleSettings.DefaultMostSessions}: Redis takes over 1 GB)
          --redis HOST:PORT       a Redis that runs, in place of starting the redis-server on PATH; clusters are started all the same

        Parts:
        {string.Join(Environment.NewLine, ScalePart.All.Select(part => $"  {part.Name,-18}{part.Description}"))}
        """;
}
