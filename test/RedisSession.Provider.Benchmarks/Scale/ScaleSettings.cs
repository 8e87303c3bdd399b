namespace RedisSession.Provider.Benchmarks;

/// <summary>What the command line asks of <see cref="ScaleCommand"/>.</summary>
internal sealed record ScaleSettings(
    int Rounds, TimeSpan Duration, IReadOnlyList<SessionVariant> Variants, IReadOnlyList<ScalePart> Parts, string? Redis, string CommandLine)
{
    public const int DefaultRounds = 3;
    public const int DefaultSeconds = 2;
    public const int DefaultMostSessions = 1_000_000;
    public const string DefaultVariants = "stock,buffered";

    /// <exception cref="UsageException">It asks for something that does not exist.</exception>
    public static ScaleSettings From(Options options)
    {
        int mostSessions = options.Number("--most-sessions", DefaultMostSessions, lowest: 1, highest: 100_000_000);
        var settings = new ScaleSettings(
            options.Number("--rounds", DefaultRounds, lowest: 1, highest: 1_000),
            TimeSpan.FromSeconds(options.Number("--seconds", DefaultSeconds, lowest: 1, highest: 3_600)),
            SessionVariant.Named(options.Text("--only-variants") ?? DefaultVariants),
            [.. Names.Choose(options.Text("--parts"), ScalePart.All, part => part.Name, "part").Select(part =>
                part with { Points = [.. part.Points.Where(point => !(point.Sessions > mostSessions))] })],
            options.HostAndPort("--redis"),
            options.CommandLine);
        options.ThrowIfAnyIsLeft();
        return settings;
    }
}
