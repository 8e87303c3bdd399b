namespace RedisSession.Provider.Benchmarks;

/// <summary>What visitors see of an outage of Redis, short or long.</summary>
internal static class OutageCommand
{
    private const string Name = "outage";
    private const string DefaultOutages = "500,2000,5000,30000";
    private const string DefaultVariants = "stock,buffered";
    private const int DefaultVisitors = 60;
    private const int DefaultRounds = 1;

    private static readonly string[] Columns =
        ["outage", "variant", "visitors", "answered", "no session found", "error 500", "no answer", "median ms", "slowest ms"];

    public static Command Command { get; } = new(Name, "what visitors see while Redis is away", Help(), RunAsync);

    private static async Task RunAsync(Options options, CancellationToken cancellationToken)
    {
        var outages = options.Numbers("--outages", DefaultOutages, lowest: 1, highest: 600_000);
        int visitors = options.Number("--visitors", DefaultVisitors, lowest: 1, highest: 1_000);
        int rounds = options.Number("--rounds", DefaultRounds, lowest: 1, highest: 100);
        var variants = SessionVariant.Named(options.Text("--only") ?? DefaultVariants);
        string? named = options.HostAndPort("--redis");
        options.ThrowIfAnyIsLeft();

        await using var redis = await RedisUnderTest.StartAsync(named);
        var rows = new List<IEnumerable<string>>();
        foreach (int outage in outages)
        {
            foreach (var variant in variants)
            {
                var visits = new List<Visit>();
                for (int round = 0; round < rounds; round++)
                {
                    await Console.Error.WriteLineAsync($"outage of {outage} ms, {variant.Name}, round {round + 1} of {rounds}");
                    var trial = new OutageTrial(variant, redis.Address, TimeSpan.FromMilliseconds(outage), visitors);
                    visits.AddRange(await trial.RunAsync(cancellationToken));
                }

                rows.Add(Row(outage, variant, visits));
            }
        }

        await Console.Out.WriteAsync(Markdown.Text(
        [
            $"{visitors} visitors arrive one after the other in twice the time of the outage, which is in the middle of it. Each loads the",
            "session that it has, reads a number and sets it to the next.",
            "", .. Markdown.Table(Columns, rows),
            "", $"{Machine.Description} · {redis.Version} · `{options.CommandLine}`",
        ]));
    }

    private static IEnumerable<string> Row(int outage, SessionVariant variant, List<Visit> visits)
    {
        double[] latencies = [.. visits.Select(visit => visit.Latency.TotalMilliseconds)];
        return
        [
            $"{outage / 1000.0:0.###} s", variant.Name, $"{visits.Count}",
            Count(Outcome.Answered), Count(Outcome.NothingFound), Count(Outcome.Error), Count(Outcome.NoAnswer),
            $"{latencies.Median():0}", $"{latencies.Max():0}",
        ];

        string Count(Outcome outcome) => $"{visits.Count(visit => visit.Outcome == outcome)}";
    }

    private static string Help() =>
        $"""
        {Command.Program} {Name} [OPTIONS]

        Visitors who arrive before, during and after an outage: all connections to Redis are cut, and none comes about until it is over.
        Redis itself stays. Each variant has a server process of its own for each outage.

          --outages MS,...  how long they last (default {DefaultOutages})
          --visitors N      each with a session of its own (default {DefaultVisitors})
          --rounds N        how often each is tried (default {DefaultRounds})
          --only NAME,...   these variants only (default {DefaultVariants})
          --redis HOST:PORT a Redis that runs, in place of starting the redis-server on PATH; sessions stay there for 5 minutes
        """;
}
