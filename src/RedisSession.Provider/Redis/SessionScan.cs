using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Walks the ids of all sessions, page by page: SCAN over one primary after the other.</summary>
internal sealed partial class SessionScan(string keyPrefix, TimeSpan ioTimeout)
{
    // So many keys the server looks at before it serves others: some tens of microseconds.
    private const int PageSize = 250;

    private const int Slots = 16384; // of a cluster

    private readonly string _start = SessionHashLayout.KeyOf(keyPrefix, "").ToString();

    /// <summary>Pages of ids; none is twice in one page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<string>> PagesAsync(
        IDatabase database, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string pattern = SpecialInPattern().Replace(_start, @"\$0") + "*";
        foreach (var primary in await PrimariesAsync(database.Multiplexer, cancellationToken).ConfigureAwait(false))
        {
            RedisValue cursor = 0;
            do
            {
                object[] arguments = [cursor, "MATCH", pattern, "COUNT", PageSize];
                var reply = await primary.ExecuteAsync(database.Database, "SCAN", arguments, CommandFlags.DemandMaster)
                    .WithinAsync(ioTimeout, "listing sessions", cancellationToken).ConfigureAwait(false);
                cursor = (RedisValue)reply[0];
                var ids = ((string[])reply[1]!).Select(IdIn).OfType<string>().ToHashSet(StringComparer.Ordinal);
                if (ids.Count > 0) yield return [.. ids];
            }
            while (cursor != 0);
        }
    }

    /// <summary>
    /// Those that hold keys. The client learns of changes in a cluster by redirections, or once a minute: where one is not connected, it may
    /// have been replaced, and the client looks anew.
    /// </summary>
    private async Task<IReadOnlyList<IServer>> PrimariesAsync(IConnectionMultiplexer multiplexer, CancellationToken cancellationToken)
    {
        var primaries = FindPrimaries(multiplexer);
        if (primaries.Length == 0 && multiplexer.GetServers().Any(server => server.ServerType == ServerType.Cluster))
        {
            await multiplexer.ConfigureAsync().WithinAsync(ioTimeout, "looking for servers", cancellationToken).ConfigureAwait(false);
            primaries = FindPrimaries(multiplexer);
        }

        return primaries.Length > 0 ? primaries : throw new RedisConnectionException(
            ConnectionFailureType.UnableToConnect, CommandFlags.DemandMaster, "There is no connection to all primaries.");
    }

    /// <summary>None if not all are there.</summary>
    private static IServer[] FindPrimaries(IConnectionMultiplexer multiplexer)
    {
        var servers = multiplexer.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }).ToArray();
        if (servers.All(server => server.ServerType != ServerType.Cluster)) return [.. servers.Take(1)];

        var primaries = servers.Where(server => (server.ClusterConfiguration?[server.EndPoint]?.Slots.Count ?? 0) > 0).ToArray();
        return primaries.Sum(SlotsOf) == Slots ? primaries : [];

        static int SlotsOf(IServer server) => server.ClusterConfiguration![server.EndPoint]!.Slots.Sum(range => range.To - range.From + 1);
    }

    /// <summary>The session's id; null where the key only begins as one of a session does.</summary>
    private string? IdIn(string key) =>
        key.StartsWith(_start, StringComparison.Ordinal) && SessionId.IsOne(key.AsSpan(_start.Length)) ? key[_start.Length..] : null;

    [GeneratedRegex(@"[*?\[\]\\]")]
    private static partial Regex SpecialInPattern();
}
