namespace RedisSession.Provider;

/// <summary>This file: what metrics, traces and the log are told about a request's operations.</summary>
internal sealed partial class RedisHashSession
{
    private SequentialReads _reads; // guarded by the lock

    private RunningOperation? Begin(OperationKind kind) => _store.Telemetry.Begin(kind, this);

    /// <summary>Once for each request, when it is over, because only then the number is known.</summary>
    private void HintAtManyReads()
    {
        if (_reads.Count > SequentialReads.Many) _store.Logger.ManySequentialReads(Id, _reads.Count);
    }
}
