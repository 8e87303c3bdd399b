namespace RedisSession.Provider.Tests;

/// <summary>A primary and two replicas of a test's own, and three sentinels that promote a replica when the primary is gone.</summary>
internal sealed class SentinelTrio(ServerKind kind) : IAsyncDisposable
{
    public const string ServiceName = "sessions";

    private const int Replicas = 2;
    private const int Sentinels = 3;

    private readonly List<ServerProcess> _servers = [];
    private readonly List<ServerProcess> _sentinels = [];

    /// <summary>The sentinels and what they call the primary, in the form that <c>ConnectionMultiplexer.Connect</c> takes.</summary>
    public string ConfigurationString =>
        string.Join(',', _sentinels.Select(sentinel => sentinel.ConfigurationString)) + $",serviceName={ServiceName}";

    /// <summary>Returns when both replicas are in sync and the sentinels know them and each other.</summary>
    public static Task<SentinelTrio> StartAsync(ServerKind kind) => new SentinelTrio(kind).ThenAsync(async trio =>
    {
        await trio.StartServersAsync();
        await trio.StartSentinelsAsync();
        return trio;
    });

    /// <summary>The primary, as a sentinel sees it.</summary>
    public async Task<ServerProcess> PrimaryAsync()
    {
        int port = await PrimaryPortAsync(_sentinels.First(sentinel => sentinel.IsRunning));
        return _servers.Single(server => server.Port == port);
    }

    /// <summary>Ends the primary as a power cut would. Does not wait for what the sentinels do about it.</summary>
    public async Task<ServerProcess> KillPrimaryAsync()
    {
        var primary = await PrimaryAsync();
        primary.Kill();
        return primary;
    }

    /// <summary>Returns when all sentinels name another primary than <paramref name="killed"/>, and that one says so, too.</summary>
    public Task WaitForFailoverAsync(ServerProcess killed) => Until.TrueAsync(
        $"{kind}: a replica takes over from port {killed.Port}",
        async () =>
        {
            foreach (var sentinel in _sentinels.Where(sentinel => sentinel.IsRunning))
            {
                int port = await PrimaryPortAsync(sentinel);
                if (port == killed.Port || (await ReplicationAsync(port)).Line("role") != "master") return false;
            }

            return true;
        });

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _sentinels.Concat(_servers)) await process.DisposeAsync();
    }

    private async Task StartServersAsync()
    {
        string[] usual = ["--repl-diskless-sync-delay", "0"];
        _servers.Add(await ServerProcess.StartAsync(kind, usual));
        for (int i = 0; i < Replicas; i++)
            _servers.Add(await ServerProcess.StartAsync(kind, [.. usual, "--replicaof", $"127.0.0.1 {_servers[0].Port}"]));

        // Before the sentinels: a replica that connects later is found by them ten seconds later.
        await WaitUntilInSyncAsync();
    }

    private async Task StartSentinelsAsync()
    {
        string settings = $"""
            sentinel monitor {ServiceName} 127.0.0.1 {_servers[0].Port} 2
            sentinel down-after-milliseconds {ServiceName} 1000
            sentinel failover-timeout {ServiceName} 2000
            """;
        for (int i = 0; i < Sentinels; i++) _sentinels.Add(await ServerProcess.StartSentinelAsync(kind, settings));
        foreach (var sentinel in _sentinels)
        {
            await Until.TrueAsync($"{kind}: every sentinel knows the others and the replicas", async () =>
                await CountAsync(sentinel, "SENTINELS") == Sentinels - 1 && await CountAsync(sentinel, "REPLICAS") == Replicas);
        }
    }

    private Task WaitUntilInSyncAsync() => Until.TrueAsync($"{kind}: the replicas are in sync", async () =>
    {
        var primary = await ReplicationAsync(_servers[0].Port);
        return Enumerable.Range(0, Replicas).All(i => primary.Line($"slave{i}")?.Contains("state=online") is true);
    });

    private static Task<RespReply> ReplicationAsync(int port) => Resp.AskAsync(port, "INFO", "replication");

    private static async Task<int> PrimaryPortAsync(ServerProcess sentinel) =>
        (await Resp.AskAsync(sentinel.Port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", ServiceName))[1].Number;

    private static async Task<int> CountAsync(ServerProcess sentinel, string what) =>
        (await Resp.AskAsync(sentinel.Port, "SENTINEL", what, ServiceName)).Items!.Count;
}
