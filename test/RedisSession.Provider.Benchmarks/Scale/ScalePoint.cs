namespace RedisSession.Provider.Benchmarks;

/// <summary>The circumstances of a measurement.</summary>
internal sealed record ScalePoint
{
    // More would take longer to come by than they are worth: a session each is enough to leave no cache warm.
    private const int MostVisited = 20_000;

    /// <summary>Its row in the results.</summary>
    public required string Label { get; init; }

    public SessionShape Shape { get; init; } = SessionShape.Small;

    public int Connections { get; init; } = CompareSettings.DefaultConnections;

    /// <summary>In Redis, of each variant; null for as many as there are connections.</summary>
    public int? Sessions { get; init; }

    /// <summary>Those that visitors use; they are some of all.</summary>
    public int VisitedSessions => Math.Min(Sessions ?? Connections, MostVisited);

    /// <summary>Of a cluster; null or 0 for a single server.</summary>
    public int? Primaries { get; init; }
}
