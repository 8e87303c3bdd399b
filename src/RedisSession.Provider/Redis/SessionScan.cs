using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Walks the ids of all sessions, page by page: SCAN over one primary after the other.</summary>
internal sealed partial class SessionScan(string keyPrefix, TimeSpan ioTimeout)
{
    // So many keys the server looks at before it serves others: some tens of microseconds. And so many sessions are asked at once.
    private const int PageSize = 100;

    private readonly string _start = SessionHashLayout.KeyOf(keyPrefix, "").ToString();

    /// <summary>Pages of ids; none is twice in one page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<string>> PagesAsync(
        IDatabase database, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string pattern = SpecialInPattern().Replace(_start, @"\$0") + "*";
        foreach (var primary in await FindPrimariesAsync(database.Multiplexer, cancellationToken).ConfigureAwait(false))
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

    private Task<IReadOnlyList<IServer>> FindPrimariesAsync(IConnectionMultiplexer multiplexer, CancellationToken cancellationToken) =>
        Primaries.FindAsync(multiplexer, cancellationToken).WithinAsync(ioTimeout, "looking for servers", cancellationToken);

    /// <summary>The session's id; null where the key only begins as one of a session does.</summary>
    private string? IdIn(string key) =>
        key.StartsWith(_start, StringComparison.Ordinal) && SessionId.IsOne(key.AsSpan(_start.Length)) ? key[_start.Length..] : null;

    [GeneratedRegex(@"[*?\[\]\\]")]
    private static partial Regex SpecialInPattern();
}
