namespace RedisSession.Provider.Dashboard;

/// <summary>The order of the sessions within a page: SCAN brings them in none, and no page knows the others. Pure.</summary>
/// <param name="Column">One of those here.</param>
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

    /// <summary>Who was here last comes first.</summary>
    public static SortOrder Default { get; } = new(Used, false);

    public static SortOrder Parse(string? text)
    {
        string column = text?.TrimStart('-') ?? "";
        return Columns.Contains(column) ? new(column, text![0] == '-') : Default;
    }

    /// <summary>Where a click on the head of <paramref name="column"/> leads: what is large is looked for by keys and size.</summary>
    public SortOrder After(string column) =>
        column == Column ? this with { IsDescending = !IsDescending } : new(column, column is Keys or Size);

    /// <summary>The sessions in this order. What is not known comes last either way.</summary>
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
