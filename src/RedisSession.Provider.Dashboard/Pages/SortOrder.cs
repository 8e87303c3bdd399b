namespace RedisSession.Provider.Dashboard;

/// <summary>The order of the sessions within a page: SCAN returns them unordered, and no page knows the others. Pure.</summary>
/// <param name="Column">One of the columns defined here.</param>
/// <param name="IsDescending">Whether the largest comes first.</param>
internal readonly record struct SortOrder(string Column, bool IsDescending)
{
    public const string Id = "id";
    public const string User = "user";
    public const string Used = "used";
    public const string Age = "age";
    public const string Left = "left";
    public const string Keys = "keys";
    public const string Size = "size";

    private static readonly string[] Columns = [Id, User, Used, Age, Left, Keys, Size];

    /// <summary>The most recently used session comes first.</summary>
    public static SortOrder Default { get; } = new(Used, false);

    public static SortOrder Parse(string? text)
    {
        string column = text?.TrimStart('-') ?? "";
        return Columns.Contains(column) ? new(column, text![0] == '-') : Default;
    }

    /// <summary>The order after a click on the header of <paramref name="column"/>: keys and size start with the largest.</summary>
    public SortOrder After(string column) =>
        column == Column ? this with { IsDescending = !IsDescending } : new(column, column is Keys or Size);

    /// <summary>The sessions in this order. Unknown values come last in either direction.</summary>
    public IReadOnlyList<SessionInfo> Sort(IEnumerable<SessionInfo> sessions, DateTimeOffset now) => Column switch
    {
        Id => By(sessions, static session => session.Id, StringComparer.Ordinal),
        User => By(sessions, static session => session.User, StringComparer.OrdinalIgnoreCase),
        Used => By(sessions, session => now - session.LastUsed, null),
        Age => By<TimeSpan?>(sessions, session => session.Created == DateTimeOffset.UnixEpoch ? null : now - session.Created, null),
        Left => By<DateTimeOffset?>(sessions, static session => session.Expires, null),
        Keys => By<long?>(sessions, static session => session.KeyCount, null),
        _ => By(sessions, static session => session.SizeInBytes, null),
    };

    public override string ToString() => IsDescending ? "-" + Column : Column;

    private SessionInfo[] By<T>(IEnumerable<SessionInfo> sessions, Func<SessionInfo, T> what, IComparer<T>? comparer)
    {
        var known = sessions.OrderBy(session => what(session) is null);
        var sorted = IsDescending ? known.ThenByDescending(what, comparer) : known.ThenBy(what, comparer);
        return [.. sorted.ThenBy(static session => session.Id, StringComparer.Ordinal)];
    }
}
