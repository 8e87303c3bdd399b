namespace RedisSession.Provider.Benchmarks;

/// <summary>What a <see cref="BenchmarkServer"/> says of itself.</summary>
/// <param name="PoolThreads">Threads in its pool.</param>
/// <param name="PoolMinimum">Threads that its pool creates without hesitation.</param>
/// <param name="DedicatedThreads">Whether the Redis client's feature flag is set.</param>
/// <param name="AllocatedBytes">
/// What it has allocated since its start. It jumps when the garbage collector changes the number of its heaps: one round can be wrong, and
/// the median of several is not.
/// </param>
/// <param name="CpuMicroseconds">The processor time that it has used since then.</param>
/// <param name="Errors">What it has logged as a warning or worse, and how often.</param>
internal sealed record ServerState(
    int PoolThreads, int PoolMinimum, bool DedicatedThreads, long AllocatedBytes, double CpuMicroseconds, Dictionary<string, int> Errors);
