namespace RedisSession.Provider.Benchmarks;

/// <summary>What a session takes in Redis, beside stock's.</summary>
internal static class MemoryCommand
{
    private const string Name = "memory";
    private const string DefaultKeys = "1,10,100,500,1000";
    private const string DefaultValues = "20,64,100,1024";

    // More keys, or longer values, than any Redis keeps compact by default.
    private const int Plenty = 2_000;

    public static Command Command { get; } = new(Name, "what a session takes in Redis, beside stock's, and which stay compact", Help(), RunAsync);

    private static async Task RunAsync(Options options, CancellationToken cancellationToken)
    {
        var keyCounts = options.Numbers("--keys", DefaultKeys, lowest: 1, highest: 10_000);
        var lengths = options.Numbers("--values", DefaultValues, lowest: 1, highest: 10_000_000);
        string? named = options.HostAndPort("--redis");
        options.ThrowIfAnyIsLeft();
        await using var redis = await RedisUnderTest.StartAsync(named);
        await using var stock = await MemoryProbe.StartAsync(SessionVariant.Named(SessionVariant.StockName)[0], redis, cancellationToken);
        await using var ours = await MemoryProbe.StartAsync(SessionVariant.Named(SessionVariant.OursName)[0], redis, cancellationToken);

        var rows = new List<string[]>();
        foreach (int length in lengths)
        {
            foreach (int keys in keyCounts)
            {
                await Console.Error.WriteLineAsync($"{keys} keys of {length} B");
                var shape = new SessionShape(keys, length);
                rows.Add(Row(shape, await stock.AskAsync(shape, cancellationToken), await ours.AskAsync(shape, cancellationToken)));
            }
        }

        int mostKeys = await ours.GreatestCompactAsync(keys => new(keys, SessionShape.Small.Value.Length), highest: Plenty, cancellationToken);
        int longestValue = await ours.GreatestCompactAsync(length => new(SessionShape.Small.Keys.Length, length), highest: Plenty, cancellationToken);

        await Console.Out.WriteAsync(Markdown.Text(
        [
            "Bytes by MEMORY USAGE, the key included; keys are named key0, key1, …",
            "", .. Markdown.Table(["keys x value", "stock B", "ours B", "ours : stock", "ours for each key B", "ours is a"], rows),
            "", $"Ours stays a listpack up to {mostKeys} keys (with values of {SessionShape.Small.Value.Length} B), and up to values of "
                + $"{longestValue} B (with {SessionShape.Small.Keys.Length} keys); {await LimitsAsync(redis.Connection)}.",
            "", $"{redis.Version} · `{options.CommandLine}`",
        ]));
    }

    private static string[] Row(SessionShape shape, SessionMemory stock, SessionMemory ours) =>
    [
        $"{shape.Keys.Length} x {shape.Value.Length} B", $"{stock.Bytes:#,0}", $"{ours.Bytes:#,0}",
        $"{(double)ours.Bytes / stock.Bytes:0.00}", $"{(double)ours.Bytes / shape.Keys.Length:0}", ours.Encoding,
    ];

    private static async Task<string> LimitsAsync(IConnectionMultiplexer connection)
    {
        var limits = await connection.GetServers()[0].ConfigGetAsync("hash-max-*");
        return string.Join(", ", limits.Where(limit => !limit.Key.Contains("ziplist")).Select(limit => $"{limit.Key} {limit.Value}"));
    }

    private static string Help() =>
        $"""
        {Command.Program} {Name} [OPTIONS]

        Applications make sessions, and Redis says what they take.

          --keys N,…          keys of a session (default {DefaultKeys})
          --values N,…        bytes under each of them (default {DefaultValues})
          --redis HOST:PORT   a Redis that runs, in place of starting the redis-server on PATH
        """;
}
