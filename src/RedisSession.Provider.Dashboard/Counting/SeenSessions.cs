namespace RedisSession.Provider.Dashboard;

/// <summary>Statistics of a set of sessions that were read, which may be only a sample of all sessions. Pure.</summary>
/// <param name="At">When they were read.</param>
/// <param name="Count">How many were read.</param>
/// <param name="IsAll">Whether these were all sessions.</param>
/// <param name="SignedIn">How many of them have a user.</param>
/// <param name="Idle">How many are in each range of idle time, the most recently used first; without the empty ranges at the end.</param>
/// <param name="Users">The users with the most sessions, and how many; only users with more than one.</param>
internal sealed record SeenSessions(
    DateTimeOffset At,
    int Count,
    bool IsAll,
    int SignedIn,
    IReadOnlyList<(string Name, int Count)> Idle,
    IReadOnlyList<(string User, int Count)> Users)
{
    private const int MostUsers = 5;

    // The ranges within an idle timeout of 20 minutes, shown even if empty.
    private const int LeastSteps = 4;

    private static readonly (string Name, TimeSpan Below)[] Steps =
    [
        ("under 1 min", TimeSpan.FromMinutes(1)),
        ("1 to 5 min", TimeSpan.FromMinutes(5)),
        ("5 to 15 min", TimeSpan.FromMinutes(15)),
        ("15 min to 1 h", TimeSpan.FromHours(1)),
        ("1 to 6 h", TimeSpan.FromHours(6)),
        ("6 to 24 h", TimeSpan.FromDays(1)),
        ("over a day", TimeSpan.MaxValue),
    ];

    public static SeenSessions Of(IReadOnlyCollection<SessionInfo> sessions, bool isAll, DateTimeOffset now)
    {
        int[] idle = new int[Steps.Length];
        foreach (var session in sessions)
        {
            if (session.LastUsed is { } used) idle[Array.FindIndex(Steps, step => now - used < step.Below)]++;
        }

        int steps = Math.Max(LeastSteps, Array.FindLastIndex(idle, count => count > 0) + 1);
        var users = sessions.Where(session => session.User is not null).CountBy(session => session.User!, StringComparer.Ordinal)
            .Where(user => user.Value > 1)
            .OrderByDescending(user => user.Value).ThenBy(user => user.Key, StringComparer.Ordinal)
            .Take(MostUsers).Select(user => (user.Key, user.Value));
        return new(
            now,
            sessions.Count,
            isAll,
            sessions.Count(session => session.User is not null),
            [.. Steps.Zip(idle).Take(steps).Select(pair => (pair.First.Name, pair.Second))],
            [.. users]);
    }
}
