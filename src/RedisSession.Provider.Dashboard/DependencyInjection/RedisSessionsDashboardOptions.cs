namespace RedisSession.Provider;

/// <summary>The options of <c>AddRedisSessionsDashboard</c>.</summary>
public sealed class RedisSessionsDashboardOptions
{
    /// <summary>
    /// How often each instance of the application counts all sessions, for the plot of the page, from its start on: a walk over all keys of
    /// the database, one round trip for each hundred keys. Default: a minute. Where a walk takes long, the pause after it is at least 99
    /// times as long, whatever is said here. <see cref="Timeout.InfiniteTimeSpan"/>: never, and then there is no plot.
    /// </summary>
    public TimeSpan CountInterval { get; set; } = TimeSpan.FromMinutes(1);
}
