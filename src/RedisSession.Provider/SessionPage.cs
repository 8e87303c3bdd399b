namespace RedisSession.Provider;

/// <summary>Some of all sessions, and how to go on: what <see cref="IRedisSessionDirectory.ListPageAsync"/> gives.</summary>
public sealed class SessionPage
{
    /// <summary>The sessions of this page, in no order. There may be none although others follow.</summary>
    public required IReadOnlyList<SessionInfo> Sessions { get; init; }

    /// <summary>
    /// What gives the page that follows; null when this is the last one. Short text of letters, digits and a hyphen that names no server
    /// and holds no secret; good for as long as the servers stay.
    /// </summary>
    public string? Next { get; init; }
}
