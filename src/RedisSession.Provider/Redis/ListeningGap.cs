namespace RedisSession.Provider;

/// <summary>A period in which no instance is known to have listened, by Redis's clock.</summary>
internal sealed record ListeningGap(DateTimeOffset Since, DateTimeOffset Until);
