using System.Globalization;

namespace RedisSession.Provider.Tests;

/// <summary>A Redis or Valkey cluster of a test's own: three primaries, each with a replica that takes over within seconds.</summary>
internal sealed class RedisCluster : IAsyncDisposable
{
    private const int Primaries = 3;
    private const int Slots = 16384;

    private readonly ServerKind _kind;
    private readonly ClusterNode[] _nodes;

    private RedisCluster(ServerKind kind, ClusterNode[] nodes)
    {
        _kind = kind;
        _nodes = nodes;
    }

    /// <summary>All nodes, in the form that <c>ConnectionMultiplexer.Connect</c> takes.</summary>
    public string ConfigurationString => string.Join(',', _nodes.Select(node => node.Process.ConfigurationString));

    /// <summary>Returns when every node says that the cluster is complete, and every replica is in sync.</summary>
    public static async Task<RedisCluster> StartAsync(ServerKind kind)
    {
        var starts = Enumerable.Range(0, 2 * Primaries).Select(_ => ClusterNode.StartAsync(kind)).ToArray();
        try
        {
            var cluster = new RedisCluster(kind, await Task.WhenAll(starts));
            await cluster.FormAsync();
            return cluster;
        }
        catch
        {
            foreach (var start in starts.Where(start => start.IsCompletedSuccessfully)) await (await start).DisposeAsync();
            throw;
        }
    }

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
        $"{_kind}: a replica takes over from port {killed.Port}",
        () => AllAliveAsync(async node =>
            await node.IsServingAsync() && (await node.SlotsAsync()).All(range => range.Primary != killed.Port)));

    /// <summary>
    /// Moves the slot of <paramref name="key"/> with all that is in it to another primary, and does <paramref name="work"/> when the keys
    /// are there already while the slot still belongs to the one that they left.
    /// </summary>
    public async Task MoveSlotAsync(string key, Func<Task> work)
    {
        string slot = Text(await SlotOfAsync(key));
        var source = await PrimaryOfAsync(key);
        var target = (await PrimariesAsync()).First(primary => primary != source);
        var (from, to) = (NodeAt(source.Port), NodeAt(target.Port));

        await to.AskAsync("CLUSTER", "SETSLOT", slot, "IMPORTING", await from.IdAsync());
        await from.AskAsync("CLUSTER", "SETSLOT", slot, "MIGRATING", await to.IdAsync());
        foreach (var moving in (await from.AskAsync("CLUSTER", "GETKEYSINSLOT", slot, "1000")).Items!)
        {
            await from.AskAsync("MIGRATE", "127.0.0.1", Text(to.Port), moving.Text!, "0", "5000");
        }

        await work();
        await to.AskAsync("CLUSTER", "SETSLOT", slot, "NODE", await to.IdAsync());
        await from.AskAsync("CLUSTER", "SETSLOT", slot, "NODE", await to.IdAsync());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
    }

    private async Task FormAsync()
    {
        const int SlotsEach = (Slots / Primaries) + 1;
        for (int i = 0; i < Primaries; i++)
        {
            // Epochs that differ from the beginning, or the nodes would have to settle first whose is the greater one.
            await _nodes[i].AskAsync("CLUSTER", "SET-CONFIG-EPOCH", Text(i + 1));
            int last = Math.Min((i + 1) * SlotsEach, Slots) - 1;
            await _nodes[i].AskAsync("CLUSTER", "ADDSLOTSRANGE", Text(i * SlotsEach), Text(last));
        }

        // Everybody meets everybody: by hearsay alone it takes seconds longer.
        for (int i = 0; i < _nodes.Length; i++)
        {
            foreach (var other in _nodes.Skip(i + 1))
            {
                await _nodes[i].AskAsync("CLUSTER", "MEET", "127.0.0.1", Text(other.Port), Text(other.BusPort));
            }
        }

        for (int i = 0; i < Primaries; i++)
        {
            var replica = _nodes[i + Primaries];
            string primary = await _nodes[i].IdAsync();
            await Until.TrueAsync(
                $"{_kind}: a replica knows its primary",
                async () => (await replica.AskAsync("CLUSTER", "REPLICATE", primary)).Text == "OK");
        }

        await Until.TrueAsync($"{_kind}: the cluster is complete", () => AllAliveAsync(async node =>
            await node.IsServingAsync() && await node.IsInSyncAsync() && await SeesAllAsync(node)));
    }

    private static async Task<bool> SeesAllAsync(ClusterNode node)
    {
        var slots = await node.SlotsAsync();
        return slots.Count == Primaries && slots.All(range => range.Replicas.Count == 1);
    }

    private async Task<bool> AllAliveAsync(Func<ClusterNode, Task<bool>> condition)
    {
        foreach (var node in _nodes.Where(node => node.Process.IsRunning))
        {
            if (!await condition(node)) return false;
        }

        return true;
    }

    private async Task<int> SlotOfAsync(string key) => (await AnyAlive().AskAsync("CLUSTER", "KEYSLOT", key)).Number;

    private ClusterNode AnyAlive() => _nodes.First(node => node.Process.IsRunning);

    private ClusterNode NodeAt(int port) => _nodes.Single(node => node.Port == port);

    private ServerProcess ProcessAt(int port) => NodeAt(port).Process;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
