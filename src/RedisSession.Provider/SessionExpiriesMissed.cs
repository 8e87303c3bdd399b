namespace RedisSession.Provider;

/// <summary>
/// A time in which no instance of the application listened. Sessions may have expired in it; which ones, and whether any, nobody can say.
/// </summary>
/// <param name="Since">From when on nobody is known to have listened, by the clock of Redis.</param>
/// <param name="Until">When somebody listened again, by the clock of Redis.</param>
public sealed record SessionExpiriesMissed(DateTimeOffset Since, DateTimeOffset Until);
