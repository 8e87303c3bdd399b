namespace RedisSession.Provider.Benchmarks;

/// <summary>A variant with a workload in one round.</summary>
internal sealed record ComparedCell(int Round, SessionVariant Variant, Workload Workload, Measurement Measurement);
