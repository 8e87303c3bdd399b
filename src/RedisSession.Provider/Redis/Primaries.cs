using System.Runtime.CompilerServices;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The servers that hold keys.</summary>
internal static class Primaries
{
    private const int Slots = 16384; // of a cluster

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ClusterPause = TimeSpan.FromMilliseconds(500); // each time all of it is asked
    private static readonly TimeSpan PauseAfterLook = TimeSpan.FromSeconds(1); // in which the client asks each server

    private static readonly ConditionalWeakTable<IConnectionMultiplexer, LastLook> Looks = [];

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

    /// <summary>
    /// A server that the client took for a primary is a replica, as its refusal says, or the client knows of no primary at all: it looks
    /// again. By itself it does so once a minute, and a planned failover cuts no connection that would tell it.
    /// </summary>
    public static void LookAgainAfter(Exception? error, IConnectionMultiplexer multiplexer)
    {
        bool isMisled = error is RedisServerException { Kind: RedisErrorKind.ReadOnly or RedisErrorKind.MasterDown }
            or RedisConnectionException { FailureType: ConnectionFailureType.UnableToResolvePhysicalConnection };
        if (isMisled) LookAgain(multiplexer);
    }

    /// <summary>The same for commands that wait while only replicas are connected: one of them may become a primary.</summary>
    public static void LookAgainAmongReplicas(IConnectionMultiplexer multiplexer)
    {
        var connected = multiplexer.GetServers().Where(server => server.IsConnected).ToList();
        if (connected.Count > 0 && connected.TrueForAll(server => server.IsReplica)) LookAgain(multiplexer);
    }

    /// <summary>Nothing waits for it, and many refusals are one reason.</summary>
    private static void LookAgain(IConnectionMultiplexer multiplexer)
    {
        if (Looks.GetOrCreateValue(multiplexer).MayBegin()) _ = Task.Run(() => multiplexer.ConfigureAsync()).Observed();
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

    private sealed class LastLook
    {
        private readonly Lock _gate = new();
        private long? _at;

        public bool MayBegin()
        {
            lock (_gate)
            {
                if (_at is { } at && TimeProvider.System.GetElapsedTime(at) < PauseAfterLook) return false;
                _at = TimeProvider.System.GetTimestamp();
                return true;
            }
        }
    }
}
