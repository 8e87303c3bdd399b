using System.Diagnostics.Metrics;

namespace RedisSession.Provider;

/// <summary>
/// The metrics of sessions. The meter is named <c>RedisSession.Provider</c>; names and units follow OpenTelemetry's
/// conventions. While nobody listens to an instrument, recording to it costs one check and allocates nothing.
/// </summary>
internal sealed class SessionMetrics
{
    public const string MeterName = "RedisSession.Provider";
    public const string OperationDuration = "redis_session.operation.duration";
    public const string Failures = "redis_session.failures";
    public const string Io = "redis_session.io";
    public const string CreatedSessions = "redis_session.created_sessions";
    public const string RenewedSessions = "redis_session.renewed_sessions";
    public const string TakenOverSessions = "redis_session.taken_over_sessions";
    public const string EndedSessions = "redis_session.ended_sessions";
    public const string RefusedWrites = "redis_session.refused_writes";
    public const string PendingEvents = "redis_session.pending_events";
    public const string PendingEventAge = "redis_session.pending_events.age";
    public const string DroppedEvents = "redis_session.dropped_events";

    public const string LockWait = "redis_session.lock.wait";
    public const string LostLocks = "redis_session.lost_locks";

    // Those that OpenTelemetry recommends for db.client.operation.duration, with some added between and below them: a round trip to a
    // nearby Redis takes a tenth of a millisecond.
    private static readonly double[] DurationBuckets =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private static readonly KeyValuePair<string, object?> Read = TelemetryTags.Of(TelemetryTags.Direction, "read");
    private static readonly KeyValuePair<string, object?> Write = TelemetryTags.Of(TelemetryTags.Direction, "write");

    private readonly Histogram<double> _operationDuration;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _io;
    private readonly Counter<long> _created;
    private readonly Counter<long> _renewed;
    private readonly Counter<long> _takenOver;
    private readonly Counter<long> _ended;
    private readonly Counter<long> _refusedWrites;
    private readonly Histogram<double> _lockWait;
    private readonly Counter<long> _lostLocks;
    private readonly Counter<long> _droppedEvents;
    private readonly Meter _meter;

    public SessionMetrics(IMeterFactory meters)
    {
        var meter = _meter = meters.Create(MeterName);
        _operationDuration = meter.CreateHistogram(
            OperationDuration, "s", "How long requests waited for Redis.", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBuckets });
        _failures = meter.CreateCounter<long>(Failures, "{failure}", "Operations that failed, whether or not a request waited for them.");
        _io = meter.CreateCounter<long>(Io, "By", "Bytes of sessions read and written, without those of the protocol.");
        _created = meter.CreateCounter<long>(CreatedSessions, "{session}", "Sessions created.");
        _renewed = meter.CreateCounter<long>(RenewedSessions, "{session}", "Sessions that were given a new key.");
        _takenOver = meter.CreateCounter<long>(TakenOverSessions, "{session}", "Sessions of AddSession that were taken over.");
        _ended = meter.CreateCounter<long>(
            EndedSessions, "{session}", "Sessions abandoned, ended by the directory, or found expired by a request.");
        _refusedWrites = meter.CreateCounter<long>(
            RefusedWrites, "{write}", "Writes that were refused because the session had ended since the request first saw it.");
        _lockWait = meter.CreateHistogram(
            LockWait, "s", "How long requests waited for the lock of their session.", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBuckets });
        _lostLocks = meter.CreateCounter<long>(
            LostLocks, "{lock}", "Locks that were no longer held when their request wrote, or released them.");
        _droppedEvents = meter.CreateCounter<long>(
            DroppedEvents, "{event}", "Events that were dropped because too many were waiting for ISessionLifecycle handlers.");
    }

    /// <summary>A request waited for the lock of its session, and took it or gave up.</summary>
    public void LockAwaited(TimeSpan wait, bool isTaken) => _lockWait.Record(
        wait.TotalSeconds, TelemetryTags.Of(TelemetryTags.Outcome, isTaken ? OperationOutcome.Ok : OperationOutcome.GivenUp));

    /// <summary>A write was refused because its request no longer held the lock.</summary>
    public void LockLost() => _lostLocks.Add(1);

    /// <summary>Whether anyone listens to individual operations.</summary>
    public bool WatchesOperations => _operationDuration.Enabled || _failures.Enabled || _io.Enabled;

    /// <summary>Whether anyone listens to byte counts, so that iterating over the values is worthwhile.</summary>
    public bool CountsBytes => _io.Enabled;

    public void OperationEnded(OperationKind kind, TimeSpan duration, string outcome) => _operationDuration.Record(
        duration.TotalSeconds, TelemetryTags.Of(TelemetryTags.Operation, kind.Name), TelemetryTags.Of(TelemetryTags.Outcome, outcome));

    public void OperationFailed(OperationKind kind, TimeSpan duration, Exception error)
    {
        if (_operationDuration.Enabled)
        {
            _operationDuration.Record(
                duration.TotalSeconds,
                TelemetryTags.Of(TelemetryTags.Operation, kind.Name),
                TelemetryTags.Of(TelemetryTags.Outcome, OperationOutcome.Failed),
                TelemetryTags.Of(TelemetryTags.ErrorType, ErrorType.Of(error)));
        }

        OperationFailed(kind, error);
    }

    /// <summary>The same for an operation that no request waited for.</summary>
    public void OperationFailed(OperationKind kind, Exception error)
    {
        if (!_failures.Enabled) return;
        _failures.Add(
            1, TelemetryTags.Of(TelemetryTags.Operation, kind.Name), TelemetryTags.Of(TelemetryTags.ErrorType, ErrorType.Of(error)));
    }

    public void BytesRead(long bytes) => _io.Add(bytes, Read);

    public void BytesWritten(long bytes) => _io.Add(bytes, Write);

    public void SessionCreated() => _created.Add(1);

    public void SessionRenewed() => _renewed.Add(1);

    public void SessionTakenOver() => _takenOver.Add(1);

    public void SessionEnded(SessionEndReason reason) =>
        _ended.Add(1, TelemetryTags.Of(TelemetryTags.EndReason, TelemetryTags.ValueOf(reason)));

    public void WriteRefused() => _refusedWrites.Add(1);

    public void EventDropped() => _droppedEvents.Add(1);

    /// <summary>Measures the events that wait for handlers: how many there are, and how long the oldest has waited.</summary>
    public void WatchEvents(Func<int> count, Func<TimeSpan> age)
    {
        _meter.CreateObservableGauge(PendingEvents, count, "{event}", "Events that wait for ISessionLifecycle handlers.");
        _meter.CreateObservableGauge(
            PendingEventAge, () => age().TotalSeconds, "s", "How long the oldest undelivered event has waited.");
    }
}
