using System.Diagnostics.CodeAnalysis;

namespace RedisSession.Provider.Benchmarks;

/// <summary>How names of sessions and keys are made and read.</summary>
public class LayoutBenchmarks
{
    private readonly string _sessionKey = Guid.NewGuid().ToString();
    private readonly byte[] _keyStart = SessionHashLayout.KeyStart("app:");
    private readonly string _key = "cart";
    private readonly string _reservedKey = "@cart";
    private readonly RedisValue _field = "cart"u8.ToArray();
    private readonly RedisValue _reservedField = "@@cart"u8.ToArray();

    [Benchmark]
    public string SessionIdOf() => SessionId.Of(_sessionKey);

    [Benchmark]
    public byte[] KeyOf() => SessionHashLayout.KeyOf(_keyStart, _sessionKey);

    [Benchmark]
    public string FieldOf() => SessionHashLayout.FieldOf(_key);

    [Benchmark]
    public string FieldOfReserved() => SessionHashLayout.FieldOf(_reservedKey);

    [Benchmark]
    public string? SessionKeyOf() => SessionHashLayout.SessionKeyOf(_field);

    [Benchmark]
    public string? SessionKeyOfReserved() => SessionHashLayout.SessionKeyOf(_reservedField);

    [Benchmark]
    public string Normalize() => SessionHashLayout.Normalize(_key);

    [Benchmark]
    [SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "BenchmarkDotNet takes no static ones.")]
    public string Generation() => SessionGeneration.Create();
}
