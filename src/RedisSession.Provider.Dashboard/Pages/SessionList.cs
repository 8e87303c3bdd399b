namespace RedisSession.Provider.Dashboard;

/// <param name="Sessions">The sessions to show.</param>
/// <param name="How">How they were found; null if all are listed.</param>
/// <param name="User">The user whose sessions were found, all of them or the first.</param>
/// <param name="AreMore">Whether the user has more sessions than are shown.</param>
/// <param name="Next">The cursor of the next page.</param>
/// <param name="Further">A walk that could find more and has not been completed; null if there is none.</param>
internal sealed record SessionList(
    IReadOnlyList<SessionInfo> Sessions,
    Match? How = null,
    string? User = null,
    bool AreMore = false,
    string? Next = null,
    Walk? Further = null);

/// <summary>How a search found something.</summary>
internal enum Match
{
    /// <summary>Nothing found so far.</summary>
    None,

    /// <summary>A session with exactly this id.</summary>
    Id,

    /// <summary>A user with exactly this name.</summary>
    User,

    /// <summary>A session with this id, and a user with this name.</summary>
    IdAndUser,

    /// <summary>Sessions whose id begins with the text.</summary>
    IdStart,

    /// <summary>Users whose name differs only in case.</summary>
    UserInAnyCase,
}
