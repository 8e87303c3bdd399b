namespace RedisSession.Provider.Benchmarks;

/// <summary>What a new key costs, in each way in which the data can move.</summary>
internal static class RenewalCommand
{
    private const string Name = "renewal";
    private const string DefaultKeys = "10,100,1000";
    private const string DefaultMegabytes = "1,10,50";
    private const int DefaultTries = 5;

    private const string UserWithoutCopy = "bench-without-copy";
    private const string Password = "password";

    public static Command Command { get; } = new(Name, "what a new key for a session costs: moved by Redis, by hand, in portions", Help(), RunAsync);

    private static async Task RunAsync(Options options, CancellationToken cancellationToken)
    {
        var keyCounts = options.Numbers("--keys", DefaultKeys, lowest: 1, highest: 1_000_000);
        var sizes = options.Numbers("--megabytes", DefaultMegabytes, lowest: 1, highest: 400);
        int tries = options.Number("--tries", DefaultTries, lowest: 1, highest: 1_000);
        options.ThrowIfAnyIsLeft();
        await using var redis = await RedisUnderTest.StartAsync(address: null);
        await using var cluster = await RedisUnderTest.StartClusterAsync(primaries: 3);
        object[] rights = ["SETUSER", UserWithoutCopy, "on", $">{Password}", "~*", "&*", "+@all", "-copy", "-rename"];
        await redis.Connection.GetDatabase().ExecuteAsync("ACL", rights);
        await using var withCopy = await ConnectionMultiplexer.ConnectAsync(redis.Address);
        await using var without = await ConnectionMultiplexer.ConnectAsync($"{redis.Address},user={UserWithoutCopy},password={Password}");
        await using var between = await ConnectionMultiplexer.ConnectAsync(cluster.Address);
        RenewalWay[] ways =
        [
            new("COPY", withCopy, redis.Connection),
            new("by hand in the script", without, redis.Connection),
            new("in portions, between slots", between, cluster.Connection),
        ];

        var rows = new List<string[]>();
        foreach (var (megabytes, keys, way) in
            from megabytes in sizes from keys in keyCounts from way in ways select (megabytes, keys, way))
        {
            await Console.Error.WriteLineAsync($"{megabytes} MB in {keys} keys: {way.Name}");
            var took = new List<(double Copy, double End, double Longest)>();
            for (int i = 0; i < tries; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                took.Add(await way.TryAsync(keys, megabytes));
            }

            rows.Add([$"{megabytes} MB in {keys} keys, {way.Name}", Show(one => one.Copy), Show(one => one.End), Show(one => one.Longest)]);

            string Show(Func<(double Copy, double End, double Longest), double> which) => Markdown.Range(took.Select(which), "0.0");
        }

        await Console.Out.WriteAsync(Markdown.Text(
        [
            "Milliseconds, the median of the tries and the lowest and highest of them; the longest PING of a bystander meanwhile.",
            "", .. Markdown.Table(["session and way", "first step ms", "second step ms", "longest PING ms"], rows),
            "", $"{redis.Version} · `{options.CommandLine}`",
        ]));
    }

    private static string Help() =>
        $"""
        {Command.Program} {Name} [OPTIONS]

        Sessions get new keys, on a Redis and on a cluster of three that are started for it.

          --keys N,…          keys of a session (default {DefaultKeys})
          --megabytes N,…     in all of them (default {DefaultMegabytes})
          --tries N           of each (default {DefaultTries})
        """;
}
