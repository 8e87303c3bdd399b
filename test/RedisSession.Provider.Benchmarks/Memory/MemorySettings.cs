namespace RedisSession.Provider.Benchmarks;

/// <summary>What the command line asks of <see cref="MemoryCommand"/>.</summary>
internal sealed record MemorySettings(IReadOnlyList<int> Keys, IReadOnlyList<int> Values, string? Redis, string CommandLine)
{
    public const string DefaultKeys = "1,10,100,500,1000";
    public const string DefaultValues = "20,64,100,1024";

    /// <exception cref="UsageException">It asks for something that does not exist.</exception>
    public static MemorySettings From(Options options)
    {
        string commandLine = $"{Command.Program} {MemoryCommand.Name} {options}".TrimEnd();
        var settings = new MemorySettings(
            options.Numbers("--keys", DefaultKeys, lowest: 1, highest: 10_000),
            options.Numbers("--values", DefaultValues, lowest: 1, highest: 10_000_000),
            options.HostAndPort("--redis"),
            commandLine);
        options.ThrowIfAnyIsLeft();
        return settings;
    }
}
