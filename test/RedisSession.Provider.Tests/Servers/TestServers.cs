using System.Collections.Concurrent;

namespace RedisSession.Provider.Tests;

/// <summary>
/// The servers of this test run, one per kind. Use <see cref="Kinds"/> or <see cref="ProcessKinds"/> as the source of a
/// fixture or of a value, and <see cref="GetAsync"/> to reach the server.
/// </summary>
internal static class TestServers
{
    private static readonly Lazy<IReadOnlyList<ServerKind>> Found = new(ServerDiscovery.Find);
    private static readonly ConcurrentDictionary<ServerKind, Lazy<Task<SharedServer>>> Started = new();

    /// <summary>
    /// The kinds of server that this run is for, the embedded one first: every one found in the full run, at most one beside it in the plain.
    /// </summary>
    public static IReadOnlyList<ServerKind> Kinds => FullRun.IsAskedFor ? Found.Value : [.. Found.Value.Take(2)];

    /// <summary>What the full run would have besides.</summary>
    public static IReadOnlyList<ServerKind> LeftOut => [.. Found.Value.Except(Kinds)];

    /// <summary>For products of very many cases: all kinds in the full run, the most real one in the plain.</summary>
    public static IReadOnlyList<ServerKind> FewKinds => FullRun.IsAskedFor ? Kinds : [Kinds[^1]];

    /// <summary>The kinds that run as a process of their own: those that a test can kill, pause and restart.</summary>
    public static IReadOnlyList<ServerKind> ProcessKinds => [.. Kinds.Where(kind => kind.IsProcess)];

    /// <summary>The shared server of this kind, started when the first test asks for it.</summary>
    public static Task<SharedServer> GetAsync(ServerKind kind) => Started.GetOrAdd(kind, key => new(() => SharedServer.StartAsync(key))).Value;

    /// <summary>Every shared server that some test has asked for.</summary>
    public static async Task<IReadOnlyList<SharedServer>> GetStartedAsync()
    {
        // One that did not start has failed the test that asked for it; here there is nothing of it.
        var starts = Started.Values.Select(server => server.Value).Where(start => !start.IsFaulted);
        return await Task.WhenAll(starts);
    }

    public static async Task StopAllAsync()
    {
        foreach (var server in await GetStartedAsync()) await server.DisposeAsync();
        Started.Clear();
    }
}
