namespace RedisSession.Provider.Tests;

/// <summary>Finds the kinds of server that this machine can run.</summary>
internal static class ServerDiscovery
{
    /// <summary>
    /// The environment variable that names further servers: absolute paths of <c>redis-server</c> or <c>valkey-server</c>
    /// executables, separated by semicolons. They come before the ones found on PATH.
    /// </summary>
    public const string ServersVariable = "REDIS_TEST_SERVERS";

    /// <summary>
    /// The environment variable that lists the kinds without which a run does not count, separated by semicolons: whole names or leading
    /// parts of them, as in <c>redis-7;redis-8;valkey-9</c>. Where it is not set, a run takes what it finds.
    /// </summary>
    public const string RequiredVariable = "REDIS_TEST_REQUIRED";

    private static readonly string[] UsualNames = ["redis-server", "valkey-server"];

    public static IReadOnlyList<ServerKind> Find() => Find(Environment.GetEnvironmentVariable(ServersVariable));

    public static IReadOnlyList<ServerKind> Find(string? named)
    {
        var onPath = UsualNames.Select(Executables.FindOnPath).OfType<string>();
        return [ServerKind.Garnet, .. Named(named).Concat(onPath).Select(ServerKind.FromBinary).DistinctBy(kind => kind.Name)];
    }

    // Compared part by part, so that redis-1 does not ask for redis-10.
    public static IReadOnlyList<string> MissingFrom(IEnumerable<ServerKind> kinds, string? required) =>
        [.. Split(required).Where(name => !kinds.Any(kind => $"{kind.Name}.".StartsWith($"{name}.", StringComparison.Ordinal)))];

    private static IEnumerable<string> Named(string? named)
    {
        foreach (var path in Split(named))
        {
            // Whoever names a server wants it tested: a wrong path must not pass as a machine without that server.
            if (!Path.IsPathFullyQualified(path) || !File.Exists(path))
                throw new InvalidOperationException($"{ServersVariable} names '{path}', which is not the absolute path of a file.");
            yield return path;
        }
    }

    private static string[] Split(string? list) => (list ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
