namespace RedisSession.Provider;

/// <summary>
/// A period in which no instance of the application listened for expirations. Sessions may have expired in that period; it cannot be
/// determined whether any did, or which ones.
/// </summary>
/// <param name="Since">The beginning of the period, by the clock of Redis: no instance is known to have listened from then on.</param>
/// <param name="Until">The end of the period, by the clock of Redis: when an instance listened again.</param>
public sealed record SessionExpiriesMissed(DateTimeOffset Since, DateTimeOffset Until);
