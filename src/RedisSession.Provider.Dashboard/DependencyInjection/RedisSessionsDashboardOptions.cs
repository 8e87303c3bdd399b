namespace RedisSession.Provider;

/// <summary>The options of <c>AddRedisSessionsDashboard</c>.</summary>
public sealed class RedisSessionsDashboardOptions
{
    /// <summary>
    /// How often each instance of the application counts all sessions, from its start, for the plot on the page. A count iterates over all
    /// keys of the database, one round trip for each hundred keys. Default: one minute. The pause after a count is at least 99 times as
    /// long as the count took, regardless of this value. <see cref="Timeout.InfiniteTimeSpan"/> disables counting and the plot.
    /// </summary>
    public TimeSpan CountInterval { get; set; } = TimeSpan.FromMinutes(1);
}
