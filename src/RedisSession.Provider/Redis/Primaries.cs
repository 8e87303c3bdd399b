using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The servers that hold keys.</summary>
internal static class Primaries
{
    private const int Slots = 16384; // of a cluster

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ClusterPause = TimeSpan.FromMilliseconds(500); // each time all of it is asked

    /// <summary>
    /// All of them. The client learns of cluster changes from redirections, or once a minute: a primary that is not connected may have been
    /// replaced, so the client looks again.
    /// </summary>
    /// <exception cref="RedisConnectionException">Not all of them are connected.</exception>
    public static async Task<IReadOnlyList<IServer>> FindAsync(IConnectionMultiplexer multiplexer, CancellationToken cancellationToken)
    {
        bool isCluster = multiplexer.GetServers().Any(server => server.ServerType == ServerType.Cluster);
        while (true)
        {
            var primaries = Find(multiplexer);
            if (primaries.Length == 0 && isCluster)
            {
                await multiplexer.ConfigureAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
                primaries = Find(multiplexer);
            }

            if (primaries.Length > 0) return primaries;
            if (Outages.Of(multiplexer) is not { Clock.MayWait: true }) break;
            await Task.Delay(isCluster ? ClusterPause : Pause, cancellationToken).ConfigureAwait(false);
        }

        throw new RedisConnectionException(
            ConnectionFailureType.UnableToConnect, CommandFlags.DemandMaster, "There is no connection to all primaries.");
    }

    /// <summary>Empty if not all are connected.</summary>
    private static IServer[] Find(IConnectionMultiplexer multiplexer)
    {
        var servers = multiplexer.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }).ToArray();
        if (servers.All(server => server.ServerType != ServerType.Cluster)) return [.. servers.Take(1)];

        var primaries = servers.Where(server => (server.ClusterConfiguration?[server.EndPoint]?.Slots.Count ?? 0) > 0).ToArray();
        return primaries.Sum(SlotsOf) == Slots ? primaries : [];

        static int SlotsOf(IServer server) => server.ClusterConfiguration![server.EndPoint]!.Slots.Sum(range => range.To - range.From + 1);
    }
}
