namespace RedisSession.Provider.Benchmarks;

/// <summary>What the command line asks of <see cref="BlockingCommand"/>.</summary>
internal sealed record BlockingSettings(
    int Requests, int Reads, int Rounds, TimeSpan Sustained, IReadOnlyList<SessionVariant> Variants, string? Redis, string CommandLine)
{
    public const int DefaultRequests = 200;
    public const int DefaultReads = 5;
    public const int DefaultRounds = 3;
    public const int DefaultSeconds = 5;
    public const int SustainedConnections = 32;

    /// <exception cref="UsageException">It asks for something that does not exist.</exception>
    public static BlockingSettings From(Options options)
    {
        var settings = new BlockingSettings(
            options.Number("--requests", DefaultRequests, lowest: 1, highest: 10_000),
            options.Number("--reads", DefaultReads, lowest: 1, highest: 1_000),
            options.Number("--rounds", DefaultRounds, lowest: 1, highest: 100),
            TimeSpan.FromSeconds(options.Number("--seconds", DefaultSeconds, lowest: 1, highest: 3_600)),
            SessionVariant.Named(options.Text("--only") ?? SessionVariant.ApplicationNames),
            options.HostAndPort("--redis"),
            options.CommandLine);
        options.ThrowIfAnyIsLeft();
        return settings;
    }
}
