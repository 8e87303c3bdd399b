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

    /// <summary>Every kind of server found, the embedded one first.</summary>
    public static IReadOnlyList<ServerKind> Kinds => Found.Value;

    /// <summary>The kinds that run as a process of their own: those that a test can kill, pause and restart.</summary>
    public static IReadOnlyList<ServerKind> ProcessKinds => [.. Kinds.Where(kind => kind.IsProcess)];

    /// <summary>The shared server of this kind, started when the first test asks for it.</summary>
    public static Task<SharedServer> GetAsync(ServerKind kind) =>
        Started.GetOrAdd(kind, key => new(() => SharedServer.StartAsync(key))).Value;

    /// <summary>Every shared server that some test has asked for.</summary>
    public static async Task<IReadOnlyList<SharedServer>> GetStartedAsync()
    {
        // One that did not start has failed the test that asked for it; here there is nothing of it.
        var starts = Started.Values.Select(server => server.Value).Where(start => !start.IsFaulted);
        return await Task.WhenAll(starts);
    }

    public static async Task StopAllAsync()
    {
        foreach (var server in await GetStartedAsync())
            await server.DisposeAsync();
        Started.Clear();
    }
}
