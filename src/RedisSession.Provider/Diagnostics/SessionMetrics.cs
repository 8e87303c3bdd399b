using System.Diagnostics.Metrics;

namespace RedisSession.Provider;

/// <summary>What happens to sessions, as numbers. The meter is named <c>RedisSession.Provider</c>.</summary>
internal sealed class SessionMetrics(IMeterFactory meters)
{
    public const string MeterName = "RedisSession.Provider";
    public const string RefusedWrites = "redis_session.refused_writes";

    private readonly Counter<long> _refusedWrites = meters.Create(MeterName).CreateCounter<long>(
        RefusedWrites, "{write}", "Writes that were not made because the session had ended since the request first saw it.");

    public void WriteRefused() => _refusedWrites.Add(1);
}
