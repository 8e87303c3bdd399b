namespace RedisSession.Provider.Tests;

internal sealed class SessionSnapshotTests
{
    [Test]
    public void Hash_is_read_into_keys_values_and_generation()
    {
        HashEntry[] marks = [Field("@gen", "0123456789abcdef"), Field("@created", "1700000000000")];
        var snapshot = Parse([.. marks, Field("cart", "1"), Field("", "2"), Field("@@x", "3")], out var generation);
        Assert.That((string?)generation, Is.EqualTo("0123456789abcdef"));
        Assert.That(snapshot.Keys, Is.EquivalentTo(["cart", "", "@x"]));
        Assert.That(snapshot.Count, Is.EqualTo(3));
        Assert.That(new[] { "cart", "", "@x" }.Select(key => Text(snapshot.Find(key))), Is.EqualTo(["1", "2", "3"]));
    }

    [Test]
    public void Own_fields_never_surface()
    {
        var snapshot = Parse([Field("@gen", "g"), Field("@created", "1"), Field("@user", "u"), Field("@later", "x"), Field("@", "y")]);
        Assert.That(snapshot.Keys, Is.Empty);
        Assert.That((snapshot.Find("@gen"), snapshot.Find("@@gen")), Is.EqualTo(((byte[]?)null, (byte[]?)null)));
    }

    // A session key of that name is escaped, and must not pass for the generation.
    [Test]
    public void Session_key_named_like_the_generation_is_a_session_key()
    {
        var snapshot = Parse([Field("@@gen", "the application's")], out var generation);
        Assert.That((generation.IsNull, Text(snapshot.Find("@gen"))), Is.EqualTo((true, "the application's")));
    }

    [Test]
    public void No_hash_is_no_generation_and_no_keys()
    {
        var snapshot = Parse([], out var generation);
        Assert.That((generation.IsNull, snapshot.Count), Is.EqualTo((true, 0)));
    }

    [Test]
    public void Empty_value_is_not_absent()
    {
        var snapshot = Parse([Field("empty", ""), new HashEntry("null", RedisValue.Null)]);
        Assert.That((Text(snapshot.Find("empty")), Text(snapshot.Find("null"))), Is.EqualTo(("", "")));
        Assert.That(snapshot.Find("absent"), Is.Null);
    }

    private static IEnumerable<TestCaseData> Keys()
    {
        TestCaseData Case(string name, IEnumerable<string> keys) => new TestCaseData((object)keys.ToArray()).SetArgDisplayNames(name);
        yield return Case("differ in case", ["a", "A"]);

        // As numbers some of them are equal.
        yield return Case(
            "look like numbers", ["1", "01", "1.0", "1e0", "+1", "-0", "0", "00", "18446744073709551615", "0018446744073709551615"]);

        // The first are found by a search, the others through an index.
        yield return Case("are many", Enumerable.Range(0, 500).Select(number => $"{(number % 2 == 0 ? "@" : "")}key{number}"));
    }

    [TestCaseSource(nameof(Keys))]
    public void Keys_are_told_apart_that(string[] keys)
    {
        var snapshot = Parse([Field("@gen", "g"), .. keys.Select(key => Field(SessionHashLayout.FieldOf(key), $"value of {key}"))]);
        Assert.That(snapshot.Count, Is.EqualTo(keys.Length));
        Assert.That(keys.Select(key => Text(snapshot.Find(key))), Is.EqualTo(keys.Select(key => $"value of {key}")));
        Assert.That((snapshot.Find("absent"), snapshot.Find("@gen")), Is.EqualTo(((byte[]?)null, (byte[]?)null)));
    }

    [Test]
    public void Empty_snapshots_do_not_share_their_keys()
    {
        var changes = new SessionChanges();
        changes.Set("a", []);
        SessionSnapshot.Empty().Apply(changes);
        Assert.That(SessionSnapshot.Empty().Count, Is.Zero);
    }

    private static SessionSnapshot Parse(HashEntry[] fields) => Parse(fields, out _);

    private static SessionSnapshot Parse(HashEntry[] fields, out RedisValue generation) =>
        SessionSnapshot.Parse(fields, protector: null, out generation);

    private static HashEntry Field(string name, string value) => new(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));

    private static string? Text(byte[]? value) => value is null ? null : Encoding.UTF8.GetString(value);
}
