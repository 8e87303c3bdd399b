namespace RedisSession.Provider;

/// <summary>
/// Replaces the pool threads that wait for Redis while it is unavailable. The client needs pool threads to reconnect: with all of them
/// waiting for just that, the pool would take a minute to grow until one is free.
/// </summary>
/// <remarks>
/// The pool's minimum of threads created without delay is process-wide. While there is something to wait for, it is raised by the number of
/// waiting threads; then it is what it was before, plus whatever others have added meanwhile.
/// </remarks>
internal static class SpareThreads
{
    private const int Reserve = 8;
    private const int Step = 16; // so that not every thread that comes or goes is a change
    private const int Most = 4096;

    private static readonly Lock Gate = new();
    private static int WaitingNow;
    private static int Needs;
    private static int Lent;

    /// <summary>Threads that wait right now.</summary>
    public static int Waiting => Volatile.Read(ref WaitingNow);

    /// <summary>This thread is about to wait. Each call must be followed by <see cref="Leave"/>.</summary>
    public static void Enter()
    {
        Interlocked.Increment(ref WaitingNow);
        if (Volatile.Read(ref Needs) > 0) Adjust(0);
    }

    public static void Leave() => Interlocked.Decrement(ref WaitingNow);

    /// <summary>There is something to wait for, until the result is disposed of.</summary>
    public static IDisposable WhileAway()
    {
        Adjust(1);
        return new Need();
    }

    private static void Adjust(int needs)
    {
        lock (Gate)
        {
            Needs += needs;
            int wanted = Needs == 0 ? 0 : Math.Max(Lent, Math.Min(Most, ((WaitingNow + Reserve + Step - 1) / Step) * Step));
            if (wanted == Lent) return;
            ThreadPool.GetMinThreads(out int workers, out int ports);
            ThreadPool.GetMaxThreads(out int mostWorkers, out _);
            int others = Math.Max(workers - Lent, 1);
            if (ThreadPool.SetMinThreads(Math.Min(others + wanted, mostWorkers), ports)) Lent = wanted;
        }
    }

    private sealed class Need : IDisposable
    {
        private int _isOver;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0) Adjust(-1);
        }
    }
}
