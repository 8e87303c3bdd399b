namespace RedisSession.Provider.Dashboard;

/// <param name="Sessions">Those to show.</param>
/// <param name="Search">What was searched for; null when all are listed.</param>
/// <param name="User">The user whose sessions were found.</param>
/// <param name="AreMore">Whether the user has more than are shown.</param>
/// <param name="Next">Where the list goes on.</param>
internal sealed record SessionList(
    IReadOnlyList<SessionInfo> Sessions, string? Search = null, string? User = null, bool AreMore = false, string? Next = null);
