using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Walks the ids of all sessions, page by page: SCAN over one primary after the other.</summary>
internal sealed partial class SessionScan(string keyPrefix, TimeSpan ioTimeout)
{
    // So many keys the server looks at before it serves others: some tens of microseconds. And so many sessions are asked at once.
    private const int PageSize = 100;

    // So many keys are looked at for one page of who asks page by page, when few of them are sessions.
    private const int KeysForOnePage = 5000;

    private readonly string _start = SessionHashLayout.KeyOf(keyPrefix, "").ToString();
    private readonly string _pattern = SpecialInPattern().Replace(SessionHashLayout.KeyOf(keyPrefix, "").ToString(), @"\$0") + "*";

    /// <summary>Pages of ids; none is twice in one page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<string>> PagesAsync(
        IDatabase database, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var primary in await FindPrimariesAsync(database.Multiplexer, cancellationToken).ConfigureAwait(false))
        {
            ulong cursor = 0;
            do
            {
                var ids = new HashSet<string>(StringComparer.Ordinal);
                cursor = await LookAsync(database, primary, cursor, PageSize, ids, cancellationToken).ConfigureAwait(false);
                if (ids.Count > 0) yield return [.. ids];
            }
            while (cursor != 0);
        }
    }

    /// <summary>
    /// From <paramref name="start"/> at least <paramref name="size"/> ids, or those among so many keys as may be looked at; and where that
    /// ended, null for the end of all.
    /// </summary>
    public async Task<(IReadOnlyList<string> Ids, ScanPosition? End)> PageAsync(
        IDatabase database, int size, ScanPosition start, CancellationToken cancellationToken)
    {
        var found = await FindPrimariesAsync(database.Multiplexer, cancellationToken).ConfigureAwait(false);
        var primaries = found.OrderBy(server => ScanPosition.NameOf(server.EndPoint), StringComparer.Ordinal).ToList();
        int at = primaries.FindIndex(server => ScanPosition.NameOf(server.EndPoint) == start.Server);
        ulong cursor = at < 0 ? 0 : start.Cursor;
        at = Math.Max(at, 0);

        var ids = new HashSet<string>(StringComparer.Ordinal);
        int count = Math.Min(size, PageSize);
        for (int keys = 0; keys < KeysForOnePage && ids.Count < size; keys += count)
        {
            cursor = await LookAsync(database, primaries[at], cursor, count, ids, cancellationToken).ConfigureAwait(false);
            if (cursor == 0 && ++at == primaries.Count) return ([.. ids], null);
        }

        return ([.. ids], new(ScanPosition.NameOf(primaries[at].EndPoint), cursor));
    }

    /// <summary>
    /// One SCAN: puts the ids among the next keys into <paramref name="ids"/>, and answers the cursor to go on with; 0: no more.
    /// </summary>
    private async Task<ulong> LookAsync(
        IDatabase database, IServer primary, ulong cursor, int count, HashSet<string> ids, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        object[] arguments = [(RedisValue)cursor, "MATCH", _pattern, "COUNT", count];
        var page = primary.ExecuteAsync(database.Database, "SCAN", arguments, CommandFlags.DemandMaster);
        var reply = await Waiting.Within(ioTimeout, cancellationToken).ForAsync(page).ConfigureAwait(false);
        ids.UnionWith(((string[])reply[1]!).Select(IdIn).OfType<string>());
        return (ulong)(RedisValue)reply[0];
    }

    private Task<IReadOnlyList<IServer>> FindPrimariesAsync(IConnectionMultiplexer multiplexer, CancellationToken cancellationToken) =>
        Waiting.Within(ioTimeout, cancellationToken).ForAsync(Primaries.FindAsync(multiplexer, cancellationToken));

    /// <summary>The session's id; null where the key only begins as one of a session does.</summary>
    private string? IdIn(string key) =>
        key.StartsWith(_start, StringComparison.Ordinal) && SessionId.IsOne(key.AsSpan(_start.Length)) ? key[_start.Length..] : null;

    [GeneratedRegex(@"[*?\[\]\\]")]
    private static partial Regex SpecialInPattern();
}
