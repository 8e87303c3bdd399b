using System.Diagnostics;

namespace RedisSession.Provider;

/// <summary>
/// Tracks the operations that requests wait for, if anyone listens to the meter or to the activity source, which has the same name. The
/// spans follow OpenTelemetry's conventions for Redis clients: one for each operation, with no keys and no values.
/// </summary>
internal sealed class SessionTelemetry(SessionMetrics metrics, RedisConnection connection)
{
    public const string SourceName = SessionMetrics.MeterName;

    private static readonly ActivitySource Source = new(SourceName);

    private RedisTarget? _target;

    /// <summary>
    /// Call right before an operation is sent. Returns null and allocates nothing if nobody listens; see
    /// <see cref="RunningOperationExtensions"/>.
    /// </summary>
    public RunningOperation? Begin(OperationKind kind, INamedSession session)
    {
        if (!metrics.WatchesOperations && !Source.HasListeners()) return null;
        return new(kind, metrics, StartActivity(kind, session));
    }

    private Activity? StartActivity(OperationKind kind, INamedSession session)
    {
        if (kind.Command is null || !Source.HasListeners() || connection.OpenDatabase is not { } database) return null;
        var span = (_target ??= RedisTarget.Of(database)).SpanOf(kind);
        var activity = Source.StartActivity(ActivityKind.Client, tags: span.Attributes, name: span.Name);
        if (activity is { IsAllDataRequested: true }) activity.SetTag(TelemetryTags.SessionId, session.Id);
        return activity;
    }
}
