namespace RedisSession.Provider;

/// <summary>A time in which no instance is known to have listened, by the clock of Redis.</summary>
internal sealed record ListeningGap(DateTimeOffset Since, DateTimeOffset Until);
