namespace RedisSession.Provider.Tests;

/// <summary>One node of a <see cref="RedisCluster"/>, with its two ports and what it says of the cluster.</summary>
internal sealed class ClusterNode(ServerProcess process, int busPort) : IAsyncDisposable
{
    // Short, so that a test of a failover is; long enough for a loaded machine not to mistake a late answer for a death.
    private const string NodeTimeout = "1500";

    public ServerProcess Process => process;

    public int Port => process.Port;

    /// <summary>Where the nodes talk to each other.</summary>
    public int BusPort => busPort;

    public static async Task<ClusterNode> StartAsync(ServerKind kind)
    {
        int busPort = 0;
        var process = await ServerProcess.StartAsync(kind, () =>
        [
            "--cluster-enabled", "yes",
            "--cluster-port", (busPort = FreePort.Choose()).ToString(CultureInfo.InvariantCulture),
            "--cluster-announce-ip", "127.0.0.1",
            "--cluster-node-timeout", NodeTimeout,
            "--repl-diskless-sync-delay", "0",

            // A replica is listed when it has received anything at all, and in an empty cluster that is the first of these pings.
            "--repl-ping-replica-period", "1",
        ]);
        return new(process, busPort);
    }

    public Task<RespReply> AskAsync(params string[] command) => Resp.AskAsync(Port, command);

    public async Task<string> IdAsync() => (await AskAsync("CLUSTER", "MYID")).Text!;

    /// <summary>Each range of slots with the ports of its primary and of the replicas that are well.</summary>
    public async Task<IReadOnlyList<SlotRange>> SlotsAsync()
    {
        var ranges = (await AskAsync("CLUSTER", "SLOTS")).Items!;
        return [.. ranges.Select(range =>
            new SlotRange(range[0].Number, range[1].Number, PortOf(range[2]), [.. range.Items!.Skip(3).Select(PortOf)]))];

        static int PortOf(RespReply node) => node[1].Number;
    }

    /// <summary>Whether it says that all slots are served.</summary>
    public async Task<bool> IsServingAsync()
    {
        var info = await AskAsync("CLUSTER", "INFO");
        return info.Line("cluster_state") == "ok" && info.Line("cluster_slots_ok") == info.Line("cluster_slots_assigned");
    }

    /// <summary>Whether it is a replica in sync with its primary, or a primary with one.</summary>
    public async Task<bool> IsInSyncAsync()
    {
        var info = await AskAsync("INFO", "replication");
        return info.Line("role") == "slave" ? info.Line("master_link_status") == "up" : info.Line("slave0")?.Contains("state=online") is true;
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}

/// <summary>Slots, and the ports of the nodes that have them.</summary>
internal sealed record SlotRange(int First, int Last, int Primary, IReadOnlyList<int> Replicas)
{
    public bool Has(int slot) => First <= slot && slot <= Last;
}
