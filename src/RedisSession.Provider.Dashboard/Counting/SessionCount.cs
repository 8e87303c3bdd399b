namespace RedisSession.Provider.Dashboard;

/// <param name="At">When the count finished.</param>
/// <param name="Count">How many sessions there were.</param>
internal readonly record struct SessionCount(DateTimeOffset At, long Count);
