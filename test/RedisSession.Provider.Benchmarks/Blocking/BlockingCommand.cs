namespace RedisSession.Provider.Benchmarks;

/// <summary>What the synchronous session API does to a thread pool at its default minimum.</summary>
internal static class BlockingCommand
{
    public const string Name = "blocking";

    public static Command Command { get; } = new(Name, "the synchronous session API when many requests arrive at once", Help(), RunAsync);

    private static async Task RunAsync(Options options, CancellationToken cancellationToken)
    {
        var settings = BlockingSettings.From(options);
        await using var redis = await RedisUnderTest.StartAsync(settings.Redis);

        var trials = new List<BlockingTrial>();
        for (int round = 0; round < settings.Rounds; round++)
        {
            foreach (var variant in settings.Variants.InTurn(round))
            {
                await Console.Error.WriteLineAsync($"round {round + 1} of {settings.Rounds}: {variant.Name}");
                trials.Add(await BlockingTrial.RunAsync(round, variant, redis.Address, settings, cancellationToken));
            }
        }

        await Console.Out.WriteAsync(BlockingReport.Write(trials, settings, redis.Version));
    }

    private static string Help() =>
        $"""
        {Command.Program} {Name} [OPTIONS]

        Requests that read session keys synchronously, without LoadAsync, through HTTP and the session middleware, on a thread
        pool at its default minimum: first many at once, then {BlockingSettings.SustainedConnections} connections for some seconds.
        Each variant has a server process of its own in each round; this process is the client.

          --requests N      requests in the burst, each with a session of its own (default {BlockingSettings.DefaultRequests})
          --reads N         keys that each request reads (default {BlockingSettings.DefaultReads})
          --rounds N        rounds, each of which runs every variant (default {BlockingSettings.DefaultRounds})
          --seconds N       how long the second part lasts (default {BlockingSettings.DefaultSeconds})
          --only NAME,...   these variants only
          --redis HOST:PORT a Redis that runs, in place of starting the redis-server on PATH; sessions stay there for 5 minutes

        Variants:
        {string.Join(Environment.NewLine, SessionVariant.All.Select(variant => $"  {variant.Name,-18}{variant.Description}"))}
        """;
}
