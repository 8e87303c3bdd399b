using BenchmarkDotNet.Attributes;
using StackExchange.Redis;

namespace RedisSession.Provider.Benchmarks;

/// <summary>What a load does with Redis's answer.</summary>
public class SnapshotBenchmarks
{
    private HashEntry[] _hash = [];
    private string[] _keys = [];

    [Params(10, 100)]
    public int Keys { get; set; }

    [Params(20, 1024)]
    public int ValueLength { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var shape = new SessionShape(Keys, ValueLength);
        _keys = shape.Keys;
        _hash =
        [
            new(AsReceived(SessionHashLayout.Generation), AsReceived("0123456789abcdef")),
            new(AsReceived(SessionHashLayout.Created), AsReceived("1700000000000")),
            .. shape.Keys.Select(key => new HashEntry(AsReceived(key), shape.Value)),
        ];
    }

    [Benchmark]
    public int Parse() => SessionSnapshot.Parse(_hash, protector: null, out _).Count;

    [Benchmark]
    public int ParseAndFindTen()
    {
        var snapshot = SessionSnapshot.Parse(_hash, protector: null, out _);
        int found = 0;
        for (int i = 0; i < 10; i++)
        {
            if (snapshot.Find(_keys[i * _keys.Length / 10]) is not null) found++;
        }

        return found;
    }

    // The client hands out bytes, and no text.
    private static RedisValue AsReceived(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
