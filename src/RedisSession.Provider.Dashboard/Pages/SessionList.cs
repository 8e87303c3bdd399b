namespace RedisSession.Provider.Dashboard;

/// <param name="Sessions">Those to show.</param>
/// <param name="How">How they were found; null when all are listed.</param>
/// <param name="User">The user whose sessions were found, all of them or the first.</param>
/// <param name="AreMore">Whether the user has more than are shown.</param>
/// <param name="Next">Where the list goes on.</param>
/// <param name="Further">A walk that could find more, and has not been gone to its end; null where there is none.</param>
internal sealed record SessionList(
    IReadOnlyList<SessionInfo> Sessions,
    Match? How = null,
    string? User = null,
    bool AreMore = false,
    string? Next = null,
    Walk? Further = null);

/// <summary>In which way a search has found something.</summary>
internal enum Match
{
    /// <summary>In none, as far as it has looked.</summary>
    None,

    /// <summary>A session with exactly this id.</summary>
    Id,

    /// <summary>A user of exactly this name.</summary>
    User,

    /// <summary>A session with this id, and a user of this name.</summary>
    IdAndUser,

    /// <summary>Sessions whose id begins so.</summary>
    IdStart,

    /// <summary>Users whose name is the same but for upper and lower case.</summary>
    UserInAnyCase,
}
