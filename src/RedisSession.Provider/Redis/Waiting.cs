namespace RedisSession.Provider;

/// <summary>
/// How a caller waits for a reply: by awaiting it, or by blocking its thread. For code that is written once for both. Where it blocks, all
/// that such code awaits is there already, so that it never gives up its thread and has ended when it returns.
/// </summary>
internal readonly record struct Waiting
{
    private readonly TimeSpan _timeout;

    private Waiting(TimeSpan timeout) => (Blocks, _timeout) = (true, timeout);

    public static Waiting Asynchronously => default;

    public bool Blocks { get; }

    public static Waiting Blocking(TimeSpan timeout) => new(timeout);

    /// <summary>The reply, which must be the Redis client's own task: see <see cref="Provider.Blocking.Wait"/>.</summary>
    public Task<T> ForAsync<T>(Task<T> reply)
    {
        if (Blocks) Provider.Blocking.Wait(reply, _timeout);
        return reply;
    }
}
