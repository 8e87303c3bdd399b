namespace RedisSession.Provider.Dashboard;

/// <summary>What the sessions that somebody has looked at look like together. Of all there are, these may be some. Pure.</summary>
/// <param name="At">When they were looked at.</param>
/// <param name="Count">How many they are.</param>
/// <param name="IsAll">Whether there were no others.</param>
/// <param name="SignedIn">How many of them have a user.</param>
/// <param name="Idle">How many have not been used for how long, the most recently used first; without the empty rest.</param>
/// <param name="Users">The users with the most of them, and how many; nobody who has only one.</param>
internal sealed record SeenSessions(
    DateTimeOffset At,
    int Count,
    bool IsAll,
    int SignedIn,
    IReadOnlyList<(string Name, int Count)> Idle,
    IReadOnlyList<(string User, int Count)> Users)
{
    private const int MostUsers = 5;

    // Those of an idle timeout of 20 minutes, whether or not there are any.
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
