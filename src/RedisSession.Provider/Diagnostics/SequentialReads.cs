namespace RedisSession.Provider;

/// <summary>
/// Counts the reads of one request that were sent only when the reply to the one before was there: each of them has made the request wait
/// for a round trip more. Those of one <c>Task.WhenAll</c> travel together and count once.
/// </summary>
internal struct SequentialReads
{
    /// <summary>More than this is worth a hint.</summary>
    public const int Many = 8;

    private Task? _last;

    public int Count { get; private set; }

    /// <summary>Takes note of a read that has just been sent, and returns its reply.</summary>
    public T Sent<T>(T reply)
        where T : Task
    {
        if (_last is null or { IsCompleted: true }) Count++;
        _last = reply;
        return reply;
    }
}
