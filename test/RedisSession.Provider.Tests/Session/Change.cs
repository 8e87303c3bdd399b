using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>One thing that a request does to its session: sets a key, removes it (no value), or clears all (no key).</summary>
internal sealed record Change(string? Key, byte[]? Value)
{
    public static readonly Change Clear = new(null, null);

    // Few keys, so that sequences meet each other; among them those that need escaping.
    public static readonly string[] Keys = ["a", "b", "c", "", "@", "@a", "@gen", "@@a"];

    private static readonly Gen<byte[]> AnyValue = Gen.Byte.Array[0, 2];

    public static readonly Gen<Change> Any = Gen.Frequency(
        (6, Gen.Select(Gen.OneOf(Keys), AnyValue, Set)), (3, Gen.OneOf(Keys).Select(Remove)), (1, Gen.Const(Clear)));

    public static readonly Gen<Dictionary<string, byte[]>> AnySession = Gen.Dictionary(Gen.OneOf(Keys), AnyValue)[0, 5];

    public static Change Set(string key, byte[] value) => new(key, value);

    public static Change Remove(string key) => new(key, null);

    /// <summary>As the implementation records a sequence.</summary>
    public static SessionChanges Net(IEnumerable<Change> sequence)
    {
        var changes = new SessionChanges();
        foreach (var (key, value) in sequence)
        {
            if (key is null) changes.Clear();
            else if (value is null) changes.Remove(key);
            else changes.Set(key, value);
        }

        return changes;
    }

    /// <summary>As a plain dictionary takes it.</summary>
    public static Dictionary<string, byte[]> Applied(Dictionary<string, byte[]> before, IEnumerable<Change> sequence)
    {
        var session = new Dictionary<string, byte[]>(before);
        foreach (var (key, value) in sequence)
        {
            if (key is null) session.Clear();
            else if (value is null) session.Remove(key);
            else session[key] = value;
        }

        return session;
    }

    public override string ToString() =>
        Key is null ? "Clear" : Value is null ? $"Remove {Key}" : $"Set {Key} {Convert.ToHexString(Value)}";
}
