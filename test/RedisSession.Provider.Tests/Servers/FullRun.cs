namespace RedisSession.Provider.Tests;

/// <summary>
/// The full run, <c>dotnet test --settings test/full.runsettings</c>: all tests, against all servers that are found. The plain one is short:
/// it leaves out tests that need many tries, much time or much data to show that something never happens, and uses one server beside Garnet.
/// </summary>
internal static class FullRun
{
    /// <summary>The category of tests that only the full run, or a filter that selects them, runs.</summary>
    public const string Only = "Full";

    /// <summary>The environment variable that full.runsettings sets.</summary>
    public const string Variable = "REDIS_TEST_FULL";

    public const string Command = "dotnet test --settings test/full.runsettings";

    public static bool IsAskedFor { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 };

    /// <summary>Each kind of server with each of the others; in the plain run each with one, in turn.</summary>
    public static IEnumerable<(ServerKind Kind, T Other)> Product<T>(IEnumerable<ServerKind> kinds, params T[] others) => IsAskedFor
        ? from kind in kinds from other in others select (kind, other)
        : kinds.Select((kind, i) => (kind, others[i % others.Length]));
}
