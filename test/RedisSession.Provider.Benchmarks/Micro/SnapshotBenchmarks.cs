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
    public object Parse() => SessionSnapshot.Parse(_hash, protector: null, out _);

    [Benchmark]
    public int ParseAndFindOne() => Find(1);

    [Benchmark]
    public int ParseAndFindTen() => Find(10);

    [Benchmark]
    public int ParseAndFindAll() => Find(_keys.Length);

    private int Find(int count)
    {
        var snapshot = SessionSnapshot.Parse(_hash, protector: null, out _);
        int found = 0;
        for (int i = 0; i < count; i++)
        {
            if (snapshot.Find(_keys[((2 * i) + 1) * _keys.Length / (2 * count)]) is not null) found++;
        }

        return found;
    }

    // The client hands out bytes, and no text.
    private static RedisValue AsReceived(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
