using System.Diagnostics;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>An operation that a listener observes: its duration, its span and its outcome.</summary>
internal sealed class RunningOperation(OperationKind kind, SessionMetrics metrics, Activity? activity)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _bytesWritten;

    public void NoteArguments(RedisValue[] arguments)
    {
        if (metrics.CountsBytes) _bytesWritten = Payload.Of(arguments);
    }

    /// <summary>
    /// The operation has been sent. What the caller does until the reply arrives is not part of it and belongs to the request's own span.
    /// </summary>
    public void Leave()
    {
        if (activity is not null) Activity.Current = activity.Parent;
    }

    public void Succeeded<T>(T reply)
    {
        long read = 0;
        bool isAbsent = false;
        switch (reply)
        {
            case null:
                isAbsent = true;
                break;
            case RedisValue[] values: // the generation first
                isAbsent = values is [{ IsNull: true }, ..];
                if (metrics.CountsBytes) read = Payload.Of(values);
                break;
            case HashEntry[] entries:
                isAbsent = entries.Length == 0;
                if (metrics.CountsBytes) read = Payload.Of(entries);
                break;
            case bool isThere:
                isAbsent = !isThere;
                break;
        }

        if (read > 0) metrics.BytesRead(read);
        if (_bytesWritten > 0) metrics.BytesWritten(_bytesWritten);
        End(isAbsent ? OperationOutcome.Absent : OperationOutcome.Ok);
    }

    public void Failed(Exception error)
    {
        string outcome = OperationOutcome.Of(error);
        if (outcome == OperationOutcome.Failed) Fail(error);
        else End(outcome);
    }

    private void End(string outcome) => metrics.OperationEnded(kind, Stop(outcome), outcome);

    private void Fail(Exception error)
    {
        if (activity is { IsAllDataRequested: true })
        {
            // Without the message: it is in the log, and a message from Redis may repeat what was sent.
            activity.SetStatus(ActivityStatusCode.Error);
            activity.SetTag(TelemetryTags.ErrorType, ErrorType.Of(error));
            if (ErrorType.CodeOf(error) is { } code) activity.SetTag(TelemetryTags.StatusCode, code);
        }

        metrics.OperationFailed(kind, Stop(OperationOutcome.Failed), error);
    }

    /// <summary>Ends the span and returns its duration, so that the histogram records the same time.</summary>
    private TimeSpan Stop(string outcome)
    {
        var duration = Stopwatch.GetElapsedTime(_start);
        if (activity is null) return duration;
        if (activity.IsAllDataRequested) activity.SetTag(TelemetryTags.Outcome, outcome);
        activity.SetEndTime(activity.StartTimeUtc + duration);
        activity.Stop();
        return duration;
    }
}
