using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>One thing that a request does to its session, as the implementation records it and as a plain dictionary takes it.</summary>
internal abstract record Change
{
    // Few keys, so that sequences meet each other; among them those that need escaping.
    public static readonly string[] Keys = ["a", "b", "c", "", "@", "@a", "@gen", "@@a"];

    private static readonly Gen<byte[]> AnyValue = Gen.Byte.Array[0, 2];

    public static readonly Gen<Change> Any = Gen.Frequency<Change>(
        (6, Gen.Select(Gen.OneOf(Keys), AnyValue, Change (key, value) => new Set(key, value))),
        (3, Gen.OneOf(Keys).Select(Change (key) => new Remove(key))),
        (1, Gen.Const<Change>(new Clear())));

    public static readonly Gen<Dictionary<string, byte[]>> AnySession = Gen.Dictionary(Gen.OneOf(Keys), AnyValue)[0, 5];

    public abstract void Record(SessionChanges changes);

    public abstract void Apply(Dictionary<string, byte[]> session);

    public static SessionChanges Net(IEnumerable<Change> sequence)
    {
        var changes = new SessionChanges();
        foreach (var change in sequence) change.Record(changes);
        return changes;
    }

    public static Dictionary<string, byte[]> Applied(Dictionary<string, byte[]> before, IEnumerable<Change> sequence)
    {
        var session = new Dictionary<string, byte[]>(before);
        foreach (var change in sequence) change.Apply(session);
        return session;
    }

    internal sealed record Set(string Key, byte[] Value) : Change
    {
        public override void Record(SessionChanges changes) => changes.Set(Key, Value);

        public override void Apply(Dictionary<string, byte[]> session) => session[Key] = Value;

        public override string ToString() => $"Set {Key} {Convert.ToHexString(Value)}";
    }

    internal sealed record Remove(string Key) : Change
    {
        public override void Record(SessionChanges changes) => changes.Remove(Key);

        public override void Apply(Dictionary<string, byte[]> session) => session.Remove(Key);

        public override string ToString() => $"Remove {Key}";
    }

    internal sealed record Clear : Change
    {
        public override void Record(SessionChanges changes) => changes.Clear();

        public override void Apply(Dictionary<string, byte[]> session) => session.Clear();

        public override string ToString() => "Clear";
    }
}
