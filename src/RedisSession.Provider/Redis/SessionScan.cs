using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Walks the ids of all sessions, page by page: SCAN over one primary after another.</summary>
internal sealed partial class SessionScan(string keyPrefix, TimeSpan ioTimeout)
{
    // How many keys the server scans before it serves others: some tens of microseconds. Also how many sessions are queried at once.
    private const int PageSize = 100;

    // How many keys are scanned for one page of a paged list, when few of them are sessions.
    private const int KeysForOnePage = 5000;

    // A filtered search scans more keys while few sessions match: at a time, for one page, and for one page when the server filters by id.
    private const int KeysToChooseFrom = 1000;
    private const int KeysForOneChosenPage = 20_000;
    private const int KeysForOnePageOfIds = 200_000;

    private readonly string _start = SessionHashLayout.KeyOf(keyPrefix, "").ToString();
    private readonly string _pattern = SpecialInPattern().Replace(SessionHashLayout.KeyOf(keyPrefix, "").ToString(), @"\$0") + "*";

    /// <summary>Pages of ids; no duplicates within a page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<string>> PagesAsync(
        IDatabase database, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var primary in await FindPrimariesAsync(database.Multiplexer, cancellationToken).ConfigureAwait(false))
        {
            ulong cursor = 0;
            do
            {
                var ids = new HashSet<string>(StringComparer.Ordinal);
                cursor = await LookAsync(database, primary, cursor, _pattern, PageSize, ids, cancellationToken).ConfigureAwait(false);
                if (ids.Count > 0) yield return [.. ids];
            }
            while (cursor != 0);
        }
    }

    /// <summary>How many there are. A session whose key was just renewed leaves two keys: the tombstone, and the parked session.</summary>
    public async Task<long> CountAsync(IDatabase database, CancellationToken cancellationToken)
    {
        long count = 0;
        foreach (var primary in await FindPrimariesAsync(database.Multiplexer, cancellationToken).ConfigureAwait(false))
        {
            ulong cursor = 0;
            do
            {
                var ids = new HashSet<string>(StringComparer.Ordinal);
                var parked = new HashSet<string>(StringComparer.Ordinal);
                cursor = await LookAsync(database, primary, cursor, _pattern, PageSize, ids, cancellationToken, parked)
                    .ConfigureAwait(false);
                count += ids.Count - parked.Count;
            }
            while (cursor != 0);
        }

        return Math.Max(count, 0);
    }

    /// <summary>
    /// At least <paramref name="size"/> ids from <paramref name="start"/> on, or those found before the limit of scanned keys; and where
    /// that ended, null at the very end.
    /// </summary>
    public async Task<(IReadOnlyList<string> Ids, ScanPosition? End)> PageAsync(
        IDatabase database, int size, ScanPosition start, CancellationToken cancellationToken)
    {
        var (primaries, at, cursor) = await StandAtAsync(database, start, cancellationToken).ConfigureAwait(false);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        int count = Math.Min(size, PageSize);
        for (int keys = 0; keys < KeysForOnePage && ids.Count < size; keys += count)
        {
            cursor = await LookAsync(database, primaries[at], cursor, _pattern, count, ids, cancellationToken).ConfigureAwait(false);
            if (cursor == 0 && ++at == primaries.Count) return ([.. ids], null);
        }

        return ([.. ids], new(ScanPosition.NameOf(primaries[at].EndPoint), cursor));
    }

    /// <summary>
    /// The same for some of the sessions: those whose id begins with <paramref name="idStart"/>, and of these the ones that
    /// <paramref name="choose"/> selects from each SCAN's results; null selects all.
    /// </summary>
    public async Task<(IReadOnlyList<string> Ids, ScanPosition? End)> ChosenPageAsync(
        IDatabase database,
        int size,
        ScanPosition start,
        string idStart,
        Func<string[], Task<IEnumerable<string>>>? choose,
        CancellationToken cancellationToken)
    {
        var (primaries, at, cursor) = await StandAtAsync(database, start, cancellationToken).ConfigureAwait(false);
        string pattern = _pattern[..^1] + idStart + "*"; // an id has no character that is special in a pattern
        var chosen = new HashSet<string>(StringComparer.Ordinal);
        int most = choose is null ? KeysForOnePageOfIds : KeysForOneChosenPage;
        int count = Math.Min(size, PageSize);
        for (int keys = 0; keys < most && chosen.Count < size;)
        {
            var ids = new HashSet<string>(StringComparer.Ordinal);
            cursor = await LookAsync(database, primaries[at], cursor, pattern, count, ids, cancellationToken).ConfigureAwait(false);
            ids.RemoveWhere(id => !id.StartsWith(idStart, StringComparison.Ordinal)); // Garnet's patterns do not tell a from A
            chosen.UnionWith(choose is null || ids.Count == 0 ? ids : await choose([.. ids]).ConfigureAwait(false));
            if (cursor == 0 && ++at == primaries.Count) return ([.. chosen], null);

            // As many as will probably hold the rest of the page: keys come in no order, so the next ones should match at the same rate.
            // Few keys say little about that, so at most double the count each time.
            keys += count;
            int likely = chosen.Count == 0 ? KeysToChooseFrom : Math.Max(1, keys * (size - chosen.Count) / chosen.Count);
            count = Math.Min(Math.Min(likely, 2 * count), KeysToChooseFrom);
        }

        return ([.. chosen], new(ScanPosition.NameOf(primaries[at].EndPoint), cursor));
    }

    /// <summary>All primaries in a stable order, and where <paramref name="start"/> is among their keys.</summary>
    private async Task<(IReadOnlyList<IServer> Primaries, int At, ulong Cursor)> StandAtAsync(
        IDatabase database, ScanPosition start, CancellationToken cancellationToken)
    {
        var found = await FindPrimariesAsync(database.Multiplexer, cancellationToken).ConfigureAwait(false);
        var primaries = found.OrderBy(server => ScanPosition.NameOf(server.EndPoint), StringComparer.Ordinal).ToList();
        int at = primaries.FindIndex(server => ScanPosition.NameOf(server.EndPoint) == start.Server);
        return at < 0 ? (primaries, 0, 0) : (primaries, at, start.Cursor);
    }

    /// <summary>
    /// One SCAN: adds the ids among the next keys to <paramref name="ids"/>, those of parked sessions to <paramref name="parked"/>, and
    /// returns the next cursor; 0: no more.
    /// </summary>
    private async Task<ulong> LookAsync(
        IDatabase database,
        IServer primary,
        ulong cursor,
        string pattern,
        int count,
        HashSet<string> ids,
        CancellationToken cancellationToken,
        HashSet<string>? parked = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        object[] arguments = [(RedisValue)cursor, "MATCH", pattern, "COUNT", count];
        var page = primary.ExecuteAsync(database.Database, "SCAN", arguments, CommandFlags.DemandMaster);
        var reply = await Waiting.Within(ioTimeout, cancellationToken).ForAsync(page).ConfigureAwait(false);
        string[] keys = (string[])reply[1]!;
        ids.UnionWith(keys.Select(IdIn).OfType<string>());
        parked?.UnionWith(keys.Where(IsParked));
        return (ulong)(RedisValue)reply[0];
    }

    private Task<IReadOnlyList<IServer>> FindPrimariesAsync(IConnectionMultiplexer multiplexer, CancellationToken cancellationToken) =>
        Waiting.Within(ioTimeout, cancellationToken).ForAsync(Primaries.FindAsync(multiplexer, cancellationToken));

    /// <summary>The session's id; null if the key only begins like a session's.</summary>
    private string? IdIn(string key) =>
        key.StartsWith(_start, StringComparison.Ordinal) && SessionId.IsOne(key.AsSpan(_start.Length)) ? key[_start.Length..] : null;

    private bool IsParked(string key) =>
        key.Length > _start.Length && key[_start.Length] == '{' && key[^1] == '}' && IdIn(key[(_start.Length + 1)..^1]) is not null;

    [GeneratedRegex(@"[*?\[\]\\]")]
    private static partial Regex SpecialInPattern();
}
