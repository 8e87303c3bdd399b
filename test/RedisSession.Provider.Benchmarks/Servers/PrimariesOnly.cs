using System.Globalization;

namespace RedisSession.Provider.Benchmarks;

/// <summary>A Redis cluster without replicas: those would take processor time from what is measured.</summary>
internal sealed class PrimariesOnly : IAsyncDisposable
{
    private const int Slots = 16384;

    private readonly List<ClusterNode> _nodes = [];

    private PrimariesOnly()
    {
    }

    /// <summary>All nodes, in the form that <c>ConnectionMultiplexer.Connect</c> takes.</summary>
    public string ConfigurationString => string.Join(',', _nodes.Select(node => node.Process.ConfigurationString));

    /// <summary>Returns when every node says that all slots are served.</summary>
    public static async Task<PrimariesOnly> StartAsync(ServerKind kind, int primaries)
    {
        var cluster = new PrimariesOnly();
        try
        {
            while (cluster._nodes.Count < primaries) cluster._nodes.Add(await ClusterNode.StartAsync(kind));
            await cluster.FormAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
    }

    private async Task FormAsync()
    {
        foreach (var (i, node) in _nodes.Index())
        {
            // Epochs that differ from the beginning, or the nodes would have to settle first whose is the greater one.
            await node.AskAsync("CLUSTER", "SET-CONFIG-EPOCH", Text(i + 1));
            await node.AskAsync("CLUSTER", "ADDSLOTSRANGE", Text(FirstSlot(i)), Text(FirstSlot(i + 1) - 1));
            foreach (var other in _nodes.Take(i))
                await node.AskAsync("CLUSTER", "MEET", "127.0.0.1", Text(other.Port), Text(other.BusPort));
        }

        await Until.TrueAsync("the cluster is complete", async () =>
        {
            foreach (var node in _nodes)
            {
                if (!await node.IsServingAsync() || (await node.SlotsAsync()).Count < _nodes.Count) return false;
            }

            return true;
        });
    }

    private int FirstSlot(int node) => Slots * node / _nodes.Count;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
