namespace RedisSession.Provider.Benchmarks;

/// <summary>What the command line asks of <see cref="CompareCommand"/>.</summary>
internal sealed record CompareSettings(
    int Rounds, TimeSpan Duration, TimeSpan BlockingDuration, int Connections, IReadOnlyList<SessionVariant> Variants,
    IReadOnlyList<Workload> Workloads, bool CountRoundTrips, string? Redis, string CommandLine)
{
    public const int DefaultRounds = 5;
    public const int DefaultSeconds = 2;
    public const int DefaultBlockingSeconds = 5;
    public const int DefaultConnections = 32;

    /// <exception cref="UsageException">It asks for something that does not exist.</exception>
    public static CompareSettings From(Options options)
    {
        int? seconds = options.Number("--seconds", lowest: 1, highest: 3_600);
        var settings = new CompareSettings(
            options.Number("--rounds", DefaultRounds, lowest: 1, highest: 1_000),
            TimeSpan.FromSeconds(seconds ?? DefaultSeconds),
            TimeSpan.FromSeconds(options.Number("--sync-seconds", lowest: 1, highest: 3_600) ?? seconds ?? DefaultBlockingSeconds),
            options.Number("--connections", DefaultConnections, lowest: 1, highest: 10_000),
            SessionVariant.Named(options.Text("--only-variants") ?? SessionVariant.ComparedNames),
            Workload.Named(options.Text("--workloads")),
            !options.Flag("--no-round-trips"),
            options.HostAndPort("--redis"),
            options.CommandLine);
        options.ThrowIfAnyIsLeft();
        return settings;
    }

    public TimeSpan DurationOf(Workload workload) => workload.Blocks ? BlockingDuration : Duration;
}
