namespace RedisSession.Provider.Benchmarks;

/// <summary>A variant with a workload at one point, in one round.</summary>
internal sealed record ScaleCell(ScalePart Part, ScalePoint Point, int Round, SessionVariant Variant, string Workload, Measurement Measurement);
