namespace RedisSession.Provider.Benchmarks;

/// <summary>What one server did with one workload for some seconds. Costs are for each request; NaN where nobody could say.</summary>
internal sealed record Measurement
{
    public Measurement(Phase phase, ServerState? before, ServerState? after, RedisCounters redis)
    {
        double requests = phase.Requests;
        Rate = phase.Rate;
        P50 = phase.Percentile(50).TotalMilliseconds;
        P99 = phase.Percentile(99).TotalMilliseconds;
        Slowest = phase.Percentile(100).TotalMilliseconds;
        Failures = new(phase.Count);
        IsAnswering = before is not null && after is not null;
        AllocatedBytes = IsAnswering ? (after!.AllocatedBytes - before!.AllocatedBytes) / requests : double.NaN;
        CpuMicroseconds = IsAnswering ? (after!.CpuMicroseconds - before!.CpuMicroseconds) / requests : double.NaN;
        RedisCpuMicroseconds = redis.CpuMicroseconds / requests;
        RedisBytesIn = redis.BytesIn / requests;
        RedisBytesOut = redis.BytesOut / requests;
        Errors = after?.Errors ?? [];
    }

    /// <summary>Good answers in a second.</summary>
    public double Rate { get; }

    /// <summary>Latencies in milliseconds.</summary>
    public double P50 { get; }

    public double P99 { get; }

    public double Slowest { get; }

    public FailureCounts Failures { get; }

    /// <summary>False where the server did not even say how it is.</summary>
    public bool IsAnswering { get; }

    /// <summary>In the server's managed heap.</summary>
    public double AllocatedBytes { get; }

    /// <summary>Of the server's process.</summary>
    public double CpuMicroseconds { get; }

    public double RedisCpuMicroseconds { get; }

    /// <summary>On the wire to Redis.</summary>
    public double RedisBytesIn { get; }

    /// <summary>On the wire from Redis.</summary>
    public double RedisBytesOut { get; }

    /// <summary>What the server has logged since its start, and how often.</summary>
    public IReadOnlyDictionary<string, int> Errors { get; }
}
