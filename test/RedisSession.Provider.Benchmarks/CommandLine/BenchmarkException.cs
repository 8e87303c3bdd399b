namespace RedisSession.Provider.Benchmarks;

/// <summary>There is nothing to measure, or no way to; the message says why.</summary>
internal sealed class BenchmarkException(string message, Exception? inner = null) : Exception(message, inner);
