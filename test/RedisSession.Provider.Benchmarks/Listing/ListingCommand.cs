using Microsoft.AspNetCore.Session;

namespace RedisSession.Provider.Benchmarks;

/// <summary>What listing all sessions costs: memory here, and the patience of others.</summary>
internal static class ListingCommand
{
    private const string Name = "listing";
    private const int DefaultSessions = 100_000;
    private const int DefaultSeconds = 5;
    private const int DefaultRounds = 3;
    private const int MemorySamples = 10;
    private static readonly TimeSpan Idle = TimeSpan.FromHours(1);

    public static Command Command { get; } = new(Name, "what listing all sessions does to memory, and to other clients of Redis", Help(), RunAsync);

    private static async Task RunAsync(Options options, CancellationToken cancellationToken)
    {
        int sessions = options.Number("--sessions", DefaultSessions, lowest: 10, highest: 10_000_000);
        int seconds = options.Number("--seconds", DefaultSeconds, lowest: 1, highest: 3_600);
        int rounds = options.Number("--rounds", DefaultRounds, lowest: 1, highest: 100);
        string? named = options.HostAndPort("--redis");
        options.ThrowIfAnyIsLeft();
        await using var redis = await RedisUnderTest.StartAsync(named);
        string prefix = RedisUnderTest.NewPrefix();
        await using var services = new ServiceCollection().AddLogging().AddRedisHashSession(session =>
            (session.Configuration, session.KeyPrefix, session.IdleTimeout) = (redis.Address, prefix, Idle)).BuildServiceProvider();
        var directory = services.GetRequiredService<IRedisSessionDirectory>();
        await Console.Error.WriteLineAsync($"{sessions:#,0} sessions are made");
        try
        {
            await FillAsync(services.GetRequiredService<ISessionStore>(), sessions, cancellationToken);
            var live = await LiveBytesAsync(directory, sessions, cancellationToken);
            var idle = new List<double[]>();
            var listing = new List<double[]>();
            long listed = 0;
            for (int round = 0; round < rounds; round++)
            {
                await Console.Error.WriteLineAsync($"round {round + 1} of {rounds}");
                idle.Add(await Bystander.RunAsync(redis.Address, seconds, cancellationToken));
                var bystander = Bystander.RunAsync(redis.Address, seconds, cancellationToken);
                while (!bystander.IsCompleted)
                {
                    await foreach (var session in directory.ListAsync(cancellationToken))
                    {
                        listed++;
                        if (bystander.IsCompleted) break;
                    }
                }

                listing.Add(await bystander);
            }

            string[][] rows = [Row("nobody lists", idle), Row("somebody lists all the time", listing)];
            await Console.Out.WriteAsync(Markdown.Text(
            [
                "What another client waits for a GET, in microseconds: the median of the rounds.",
                "", .. Markdown.Table(["", "p50", "p99", "p99.9", "longest"], rows),
                "", $"{listed / rounds / (double)seconds:#,0} sessions were listed in a second. Live in the lister's memory, after a full "
                    + $"collection, at {live.Count} moments of one walk over {sessions:#,0} sessions: "
                    + $"{live.Min() / 1024.0:#,0} to {live.Max() / 1024.0:#,0} KiB.",
                "", $"{redis.Version} · {Machine.Description} · `{options.CommandLine}`",
            ]));
        }
        finally
        {
            // To the end, whoever interrupts: a named Redis is left as it was found.
            await foreach (var some in directory.ListAsync(CancellationToken.None).Chunk(1_000))
                await Task.WhenAll(some.Select(session => directory.EndAsync(session.Id, CancellationToken.None)));
        }
    }

    private static async Task FillAsync(ISessionStore store, int count, CancellationToken cancellationToken)
    {
        for (int done = 0; done < count; done += 1_000)
        {
            await Task.WhenAll(Enumerable.Range(0, Math.Min(1_000, count - done)).Select(async _ =>
            {
                var session = store.Create(Guid.NewGuid().ToString(), Idle, Timeout.InfiniteTimeSpan, () => true, isNewSessionKey: true);
                foreach (string key in SessionShape.Small.Keys) session.Set(key, SessionShape.Small.Value);
                await session.CommitAsync(cancellationToken);
            }));
        }
    }

    /// <summary>What is reachable at some moments of one walk.</summary>
    private static async Task<List<long>> LiveBytesAsync(
        IRedisSessionDirectory directory, int sessions, CancellationToken cancellationToken)
    {
        var live = new List<long>();
        int listed = 0;
        await foreach (var session in directory.ListAsync(cancellationToken))
        {
            if (++listed % (sessions / MemorySamples) == 0) live.Add(GC.GetTotalMemory(forceFullCollection: true));
        }

        return listed >= sessions ? live : throw new BenchmarkException($"Only {listed} sessions of {sessions} were listed.");
    }

    private static string[] Row(string name, List<double[]> rounds)
    {
        return [name, Cell(0.5), Cell(0.99), Cell(0.999), Cell(1)];

        string Cell(double share) => Markdown.Number(rounds.Select(waits => waits[(int)(share * (waits.Length - 1))]).Median(), "#,0");
    }

    private static string Help() =>
        $"""
        {Command.Program} {Name} [OPTIONS]

        Makes sessions, and lists them all through IRedisSessionDirectory, again and again, while another process asks the same
        Redis for a key a thousand times a second.

          --sessions N        sessions that there are (default {DefaultSessions})
          --seconds N         how long the other process asks, without and with somebody listing (default {DefaultSeconds})
          --rounds N          how often (default {DefaultRounds})
          --redis HOST:PORT   a Redis that runs, in place of starting the redis-server on PATH
        """;
}
