using System.Collections.Concurrent;

namespace RedisSession.Provider;

/// <summary>
/// Which failures of operations that no request waits for were logged recently. A server that refuses such a command refuses it for every
/// request: it is logged once a minute for each kind of operation and error, and the metric counts each failure.
/// </summary>
internal sealed class ErrorReports
{
    private static readonly long Pause = (long)TimeSpan.FromMinutes(1).TotalMilliseconds;

    // Bounded by the number of operation kinds and error types.
    private readonly ConcurrentDictionary<(OperationKind Kind, string Error), long> _last = new();

    /// <summary>True once a minute for each kind of operation and error.</summary>
    public bool IsNews(OperationKind kind, Exception error) => IsNews(kind, error, Environment.TickCount64);

    /// <inheritdoc cref="IsNews(OperationKind, Exception)"/>
    public bool IsNews(OperationKind kind, Exception error, long now)
    {
        var what = (kind, ErrorType.Of(error));
        if (_last.TryAdd(what, now)) return true;
        long last = _last[what];
        return now - last >= Pause && _last.TryUpdate(what, now, last);
    }
}
