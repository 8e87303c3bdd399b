namespace RedisSession.Provider.Benchmarks;

/// <summary>What one server did with one workload for some seconds. Costs are for each request; NaN where nobody could say.</summary>
internal sealed class Measurement(Phase phase, ServerState? before, ServerState? after, RedisCounters redis)
{
    /// <summary>Good answers in a second.</summary>
    public double Rate { get; } = phase.Rate;

    /// <summary>Latencies in milliseconds.</summary>
    public double P50 { get; } = phase.Percentile(50).TotalMilliseconds;

    public double P99 { get; } = phase.Percentile(99).TotalMilliseconds;

    public FailureCounts Failures { get; } = new(phase.Count);

    /// <summary>False where the server did not even say how it is.</summary>
    public bool IsAnswering { get; } = before is not null && after is not null;

    /// <summary>In the server's managed heap.</summary>
    public double AllocatedBytes { get; } = (after?.AllocatedBytes - before?.AllocatedBytes) / (double)phase.Requests ?? double.NaN;

    /// <summary>Of the server's process.</summary>
    public double CpuMicroseconds { get; } = (after?.CpuMicroseconds - before?.CpuMicroseconds) / phase.Requests ?? double.NaN;

    public double RedisCpuMicroseconds { get; } = redis.CpuMicroseconds / phase.Requests;

    /// <summary>On the wire to Redis.</summary>
    public double RedisBytesIn { get; } = redis.BytesIn / phase.Requests;

    /// <summary>On the wire from Redis.</summary>
    public double RedisBytesOut { get; } = redis.BytesOut / phase.Requests;

    /// <summary>What the server has logged since its start, and how often.</summary>
    public IReadOnlyDictionary<string, int> Errors { get; } = after?.Errors ?? [];
}
