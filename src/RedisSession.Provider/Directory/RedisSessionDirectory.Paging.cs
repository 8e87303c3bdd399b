namespace RedisSession.Provider;

/// <summary>This file: one page of the list at a time.</summary>
internal sealed partial class RedisSessionDirectory
{
    private const int LargestPage = 1000;

    public Task<SessionPage> ListPageAsync(int size = 50, string? after = null, CancellationToken cancellationToken = default)
    {
        var start = PositionOf(size, after);
        return ListOnePageAsync();

        async Task<SessionPage> ListOnePageAsync()
        {
            var database = await OpenAsync(cancellationToken).ConfigureAwait(false);
            var (ids, end) = await _scan.PageAsync(database, size, start, cancellationToken).ConfigureAwait(false);
            return new()
            {
                Sessions = ids.Count > 0 ? await DescribeAsync(database, ids, cancellationToken).ConfigureAwait(false) : [],
                Next = end?.ToString(),
            };
        }
    }
}
