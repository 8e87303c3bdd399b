namespace RedisSession.Provider.Benchmarks;

/// <summary>What a write does before it is sent.</summary>
public class ChangesBenchmarks
{
    private static readonly SessionExpiry Expiry = SessionExpiry.From(TimeSpan.FromMinutes(20), absoluteTimeout: null);

    private readonly string[] _keys = SessionShape.Small.Keys;
    private readonly byte[] _value = SessionShape.Small.Value;
    private readonly SessionChanges _changes = new();

    [Params(1, 10)]
    public int Sets { get; set; }

    [GlobalSetup]
    public void Setup() => Collect(_changes);

    [Benchmark]
    public object Collect() => Collect(new());

    [Benchmark]
    public RedisValue[] ToArguments() => SessionScripts.For(
        _changes, Expiry, isFresh: false, "0123456789abcdef", "fedcba9876543210", protector: null).Arguments;

    private SessionChanges Collect(SessionChanges changes)
    {
        for (int i = 0; i < Sets; i++) changes.Set(_keys[i], _value);
        return changes;
    }
}
