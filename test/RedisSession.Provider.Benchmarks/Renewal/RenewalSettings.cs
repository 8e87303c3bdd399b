namespace RedisSession.Provider.Benchmarks;

/// <summary>What the command line asks of <see cref="RenewalCommand"/>.</summary>
internal sealed record RenewalSettings(IReadOnlyList<int> Keys, IReadOnlyList<int> Megabytes, int Tries, string CommandLine)
{
    public const string DefaultKeys = "10,100,1000";
    public const string DefaultMegabytes = "1,10,50";
    public const int DefaultTries = 5;

    /// <exception cref="UsageException">It asks for something that does not exist.</exception>
    public static RenewalSettings From(Options options)
    {
        string commandLine = $"{Command.Program} {RenewalCommand.Name} {options}".TrimEnd();
        var settings = new RenewalSettings(
            options.Numbers("--keys", DefaultKeys, lowest: 1, highest: 1_000_000),
            options.Numbers("--megabytes", DefaultMegabytes, lowest: 1, highest: 400),
            options.Number("--tries", DefaultTries, lowest: 1, highest: 1_000),
            commandLine);
        options.ThrowIfAnyIsLeft();
        return settings;
    }
}
