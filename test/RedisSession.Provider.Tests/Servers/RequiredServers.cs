namespace RedisSession.Provider.Tests;

/// <summary>The kinds of server without which a run does not count.</summary>
internal static class RequiredServers
{
    /// <summary>
    /// The environment variable that lists them, separated by semicolons: whole names or leading parts of them, as in
    /// <c>redis-7;redis-8;valkey-9</c>. Where it is not set, a run takes what it finds.
    /// </summary>
    public const string RequiredVariable = "REDIS_TEST_REQUIRED";

    public static IReadOnlyList<string> MissingFrom(IEnumerable<ServerKind> kinds, string? required) =>
        [.. SemicolonList.Split(required).Where(name => !kinds.Any(kind => Satisfies(kind, name)))];

    // Compared part by part, so that redis-1 does not ask for redis-10.
    private static bool Satisfies(ServerKind kind, string required) =>
        kind.Name == required || kind.Name.StartsWith(required + ".", StringComparison.Ordinal);
}
