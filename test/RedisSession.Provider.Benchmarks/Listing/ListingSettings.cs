namespace RedisSession.Provider.Benchmarks;

/// <summary>What the command line asks of <see cref="ListingCommand"/>.</summary>
internal sealed record ListingSettings(int Sessions, TimeSpan Duration, int Rounds, string? Redis, string CommandLine)
{
    public const int DefaultSessions = 100_000;
    public const int DefaultSeconds = 5;
    public const int DefaultRounds = 3;

    /// <exception cref="UsageException">It asks for something that does not exist.</exception>
    public static ListingSettings From(Options options)
    {
        string commandLine = $"{Command.Program} {ListingCommand.Name} {options}".TrimEnd();
        var settings = new ListingSettings(
            options.Number("--sessions", DefaultSessions, lowest: 10, highest: 10_000_000),
            TimeSpan.FromSeconds(options.Number("--seconds", DefaultSeconds, lowest: 1, highest: 3_600)),
            options.Number("--rounds", DefaultRounds, lowest: 1, highest: 100),
            options.HostAndPort("--redis"),
            commandLine);
        options.ThrowIfAnyIsLeft();
        return settings;
    }
}
