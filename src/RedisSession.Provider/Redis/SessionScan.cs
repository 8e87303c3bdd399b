using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Walks the ids of all sessions, page by page: SCAN over one primary after the other.</summary>
internal sealed partial class SessionScan(string keyPrefix, TimeSpan ioTimeout)
{
    // So many keys the server looks at before it serves others: some tens of microseconds.
    private const int PageSize = 250;

    private readonly string _start = SessionHashLayout.KeyOf(keyPrefix, "").ToString();

    /// <summary>Pages of ids; none is twice in one page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<string>> PagesAsync(
        IDatabase database, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string pattern = SpecialInPattern().Replace(_start, @"\$0") + "*";
        foreach (var primary in await PrimariesAsync(database, cancellationToken).ConfigureAwait(false))
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

    private async Task<IReadOnlyList<IServer>> PrimariesAsync(IDatabase database, CancellationToken cancellationToken)
    {
        var multiplexer = database.Multiplexer;
        var one = multiplexer.GetServer(_start, flags: CommandFlags.DemandMaster);
        if (one.ServerType != ServerType.Cluster) return [one];

        // As the cluster itself says now: what the client has known of it longer may include a primary that has lost its place.
        var nodes = await one.ClusterNodesAsync(CommandFlags.DemandMaster)
            .WithinAsync(ioTimeout, "asking for the nodes of the cluster", cancellationToken).ConfigureAwait(false);
        return [.. nodes!.Nodes.Where(node => !node.IsReplica && node.Slots.Count > 0).Select(Known)];

        IServer Known(ClusterNode node) =>
            multiplexer.GetServers().FirstOrDefault(server => server.EndPoint.Equals(node.EndPoint)) ?? throw new RedisConnectionException(
                ConnectionFailureType.UnableToConnect, CommandFlags.DemandMaster, $"There is no connection to the primary {node.EndPoint} yet.");
    }

    /// <summary>The session's id; null where the key only begins as one of a session does.</summary>
    private string? IdIn(string key) =>
        key.StartsWith(_start, StringComparison.Ordinal) && SessionId.IsOne(key.AsSpan(_start.Length)) ? key[_start.Length..] : null;

    [GeneratedRegex(@"[*?\[\]\\]")]
    private static partial Regex SpecialInPattern();
}
