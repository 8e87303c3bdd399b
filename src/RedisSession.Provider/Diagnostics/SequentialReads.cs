namespace RedisSession.Provider;

/// <summary>
/// Counts the reads of a request that were sent only after the reply to the previous one had arrived: each cost the request another
/// round trip. Those of one <c>Task.WhenAll</c> are in flight together and count once.
/// </summary>
internal struct SequentialReads
{
    /// <summary>More than this is worth a hint.</summary>
    public const int Many = 8;

    private Task? _last;

    public int Count { get; private set; }

    /// <summary>Records a read that has just been sent, and returns its reply.</summary>
    public T Sent<T>(T reply)
        where T : Task
    {
        if (_last is null or { IsCompleted: true }) Count++;
        _last = reply;
        return reply;
    }
}
