namespace RedisSession.Provider;

/// <summary>
/// One page of sessions, and the position of the next one: the result of <see cref="IRedisSessionDirectory.ListPageAsync"/>.
/// </summary>
public sealed class SessionPage
{
    /// <summary>The sessions of this page, in no particular order. It may be empty although other pages follow.</summary>
    public required IReadOnlyList<SessionInfo> Sessions { get; init; }

    /// <summary>
    /// The cursor of the next page; null if this is the last one. A short text of letters, digits and a hyphen that names no server and
    /// contains no secret; valid as long as the servers stay the same.
    /// </summary>
    public string? Next { get; init; }
}
