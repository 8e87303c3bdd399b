namespace RedisSession.Provider.Tests;

/// <summary>A Redis or Valkey cluster of one's own, as a rule three primaries, each with a replica that takes over within seconds.</summary>
internal sealed class RedisCluster(ServerKind kind, int primaries, bool hasReplicas) : IAsyncDisposable
{
    private const int Slots = 16384;

    private readonly List<ClusterNode> _nodes = [];

    /// <summary>All nodes, in the form that <c>ConnectionMultiplexer.Connect</c> takes.</summary>
    public string ConfigurationString => string.Join(',', _nodes.Select(node => node.Process.ConfigurationString));

    /// <summary>Returns when every node says that the cluster is complete, and every replica is in sync.</summary>
    public static Task<RedisCluster> StartAsync(ServerKind kind, int primaries = 3, bool hasReplicas = true) =>
        new RedisCluster(kind, primaries, hasReplicas).ThenAsync(async cluster =>
        {
            await Task.WhenAll(Enumerable.Range(0, hasReplicas ? 2 * primaries : primaries).Select(async _ =>
            {
                var node = await ClusterNode.StartAsync(kind);
                lock (cluster._nodes) cluster._nodes.Add(node);
            }));
            await cluster.FormAsync();
            return cluster;
        });

    /// <summary>The nodes that serve slots now, as one that is alive sees it.</summary>
    public async Task<IReadOnlyList<ServerProcess>> PrimariesAsync()
    {
        var slots = await AnyAlive().SlotsAsync();
        return [.. slots.Select(range => range.Primary).Distinct().Select(ProcessAt)];
    }

    /// <summary>The node that serves <paramref name="key"/> now.</summary>
    public async Task<ServerProcess> PrimaryOfAsync(string key)
    {
        int slot = await SlotOfAsync(key);
        return ProcessAt((await AnyAlive().SlotsAsync()).Single(range => range.Has(slot)).Primary);
    }

    /// <summary>Ends the primary of <paramref name="key"/> as a power cut would; what the cluster does about it goes on.</summary>
    public async Task<ServerProcess> KillPrimaryOfAsync(string key)
    {
        var primary = await PrimaryOfAsync(key);
        primary.Kill();
        return primary;
    }

    /// <summary>
    /// Returns when all nodes that are alive serve again, with another primary in the place of <paramref name="killed"/>.
    /// </summary>
    public Task WaitForFailoverAsync(ServerProcess killed) => Until.TrueAsync(
        $"{kind}: a replica takes over from port {killed.Port}",
        () => AllAliveAsync(async node =>
            await node.IsServingAsync() && (await node.SlotsAsync()).All(range => range.Primary != killed.Port)));

    /// <summary>
    /// Moves the slot of <paramref name="key"/> with all that is in it to another primary, and does <paramref name="work"/> when the keys
    /// are there already while the slot still belongs to the one that they left; <paramref name="workBefore"/>, while the slot is being
    /// moved too, but its keys are where they were.
    /// </summary>
    public async Task MoveSlotAsync(string key, Func<Task>? work = null, Func<Task>? workBefore = null)
    {
        string slot = Text(await SlotOfAsync(key));
        var source = await PrimaryOfAsync(key);
        var target = (await PrimariesAsync()).First(primary => primary != source);
        var (from, to) = (NodeAt(source.Port), NodeAt(target.Port));

        await to.AskAsync("CLUSTER", "SETSLOT", slot, "IMPORTING", await from.IdAsync());
        await from.AskAsync("CLUSTER", "SETSLOT", slot, "MIGRATING", await to.IdAsync());
        if (workBefore is not null) await workBefore();
        foreach (var moving in (await from.AskAsync("CLUSTER", "GETKEYSINSLOT", slot, "1000")).Items!)
            await from.AskAsync("MIGRATE", "127.0.0.1", Text(to.Port), moving.Text!, "0", "5000");

        if (work is not null) await work();
        await to.AskAsync("CLUSTER", "SETSLOT", slot, "NODE", await to.IdAsync());
        await from.AskAsync("CLUSTER", "SETSLOT", slot, "NODE", await to.IdAsync());
    }

    /// <summary>Begins to move the slot of <paramref name="key"/>, no key of it yet. Call what it returns to call that off.</summary>
    public async Task<Func<Task>> BeginToMoveSlotAsync(string key)
    {
        string slot = Text(await SlotOfAsync(key));
        var from = NodeAt((await PrimaryOfAsync(key)).Port);
        var to = NodeAt((await PrimariesAsync()).First(primary => primary.Port != from.Port).Port);
        await to.AskAsync("CLUSTER", "SETSLOT", slot, "IMPORTING", await from.IdAsync());
        await from.AskAsync("CLUSTER", "SETSLOT", slot, "MIGRATING", await to.IdAsync());
        return async () =>
        {
            await from.AskAsync("CLUSTER", "SETSLOT", slot, "STABLE");
            await to.AskAsync("CLUSTER", "SETSLOT", slot, "STABLE");
        };
    }

    /// <summary>
    /// Takes another slot from the primary of <paramref name="key"/>, which then serves none (CLUSTERDOWN): it sees a cluster that is not
    /// complete, as in a failover of another primary. Call what it returns to give the slot back.
    /// </summary>
    public async Task<Func<Task>> BringDownAsync(string key)
    {
        int slot = await SlotOfAsync(key);
        var node = NodeAt((await PrimaryOfAsync(key)).Port);
        var range = (await node.SlotsAsync()).First(range => range.Has(slot));
        string another = Text(range.First == slot ? range.Last : range.First);
        await node.AskAsync("CLUSTER", "DELSLOTS", another);
        await Until.TrueAsync($"{kind}: it is down", async () => !await node.IsServingAsync());
        return () => node.AskAsync("CLUSTER", "ADDSLOTS", another);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
    }

    private async Task FormAsync()
    {
        for (int i = 0; i < primaries; i++)
        {
            // Epochs that differ from the beginning, or the nodes would have to settle first whose is the greater one.
            await _nodes[i].AskAsync("CLUSTER", "SET-CONFIG-EPOCH", Text(i + 1));
            await _nodes[i].AskAsync("CLUSTER", "ADDSLOTSRANGE", Text(Slots * i / primaries), Text((Slots * (i + 1) / primaries) - 1));
        }

        // Everybody meets everybody: by hearsay alone it takes seconds longer.
        foreach (var (i, node) in _nodes.Index())
        {
            foreach (var other in _nodes.Take(i))
                await node.AskAsync("CLUSTER", "MEET", "127.0.0.1", Text(other.Port), Text(other.BusPort));
        }

        foreach (var (i, replica) in _nodes.Skip(primaries).Index())
        {
            string primary = await _nodes[i].IdAsync();
            await Until.TrueAsync(
                $"{kind}: a replica knows its primary",
                async () => (await replica.AskAsync("CLUSTER", "REPLICATE", primary)).Text == "OK");
        }

        await Until.TrueAsync($"{kind}: the cluster is complete", () => AllAliveAsync(async node =>
            await node.IsServingAsync() && (!hasReplicas || await node.IsInSyncAsync()) && await SeesAllAsync(node)));
    }

    private async Task<bool> SeesAllAsync(ClusterNode node)
    {
        var slots = await node.SlotsAsync();
        return slots.Count == primaries && slots.All(range => range.Replicas.Count == (hasReplicas ? 1 : 0));
    }

    private async Task<bool> AllAliveAsync(Func<ClusterNode, Task<bool>> condition)
    {
        foreach (var node in _nodes.Where(node => node.Process.IsRunning))
            if (!await condition(node)) return false;
        return true;
    }

    private async Task<int> SlotOfAsync(string key) => (await AnyAlive().AskAsync("CLUSTER", "KEYSLOT", key)).Number;

    private ClusterNode AnyAlive() => _nodes.First(node => node.Process.IsRunning);

    private ClusterNode NodeAt(int port) => _nodes.Single(node => node.Port == port);

    private ServerProcess ProcessAt(int port) => NodeAt(port).Process;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
