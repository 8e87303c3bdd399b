namespace RedisSession.Provider.Dashboard;

/// <summary>The event ids of <see cref="Log"/>.</summary>
internal static class DashboardEvents
{
    public const int SessionEnded = 101;
    public const int UserSessionsEnded = 102;
    public const int ValuesShown = 103;
    public const int Refused = 104;
    public const int FormRefused = 105;
    public const int RedisFailed = 106;
    public const int CountingFailed = 107;
}
