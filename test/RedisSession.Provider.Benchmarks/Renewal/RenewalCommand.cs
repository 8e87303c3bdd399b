using StackExchange.Redis;

namespace RedisSession.Provider.Benchmarks;

/// <summary>What a new key costs, in each way in which the data can move.</summary>
internal static class RenewalCommand
{
    public const string Name = "renewal";

    private const string UserWithoutCopy = "bench-without-copy";
    private const string Password = "password";

    public static Command Command { get; } =
        new(Name, "what a new key for a session costs: moved by Redis, by hand, in portions", Help(), RunAsync);

    private static async Task RunAsync(Options options, CancellationToken cancellationToken)
    {
        var settings = RenewalSettings.From(options);
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
        foreach (int megabytes in settings.Megabytes)
        {
            foreach (int keys in settings.Keys)
            {
                foreach (var way in ways)
                {
                    await Console.Error.WriteLineAsync($"{megabytes} MB in {keys} keys: {way.Name}");
                    var tries = new List<(double Copy, double End, double Longest)>();
                    for (int i = 0; i < settings.Tries; i++)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        tries.Add(await way.TryAsync(keys, megabytes));
                    }

                    rows.Add(
                    [
                        $"{megabytes} MB in {keys} keys, {way.Name}",
                        Markdown.Range(tries.Select(one => one.Copy), "0.0"),
                        Markdown.Range(tries.Select(one => one.End), "0.0"),
                        Markdown.Range(tries.Select(one => one.Longest), "0.0"),
                    ]);
                }
            }
        }

        string[] lines =
        [
            "Milliseconds, the median of the tries and the lowest and highest of them; the longest PING of a bystander meanwhile.",
            "",
            .. Markdown.Table(["session and way", "first step ms", "second step ms", "longest PING ms"], rows),
            "",
            $"{redis.Version} · `{settings.CommandLine}`",
        ];
        await Console.Out.WriteLineAsync(string.Join(Environment.NewLine, lines));
    }

    private static string Help() =>
        $"""
        {Command.Program} {Name} [OPTIONS]

        Sessions get new keys, on a Redis and on a cluster of three that are started for it.

          --keys N,…          keys of a session (default {RenewalSettings.DefaultKeys})
          --megabytes N,…     in all of them (default {RenewalSettings.DefaultMegabytes})
          --tries N           of each (default {RenewalSettings.DefaultTries})
        """;
}
