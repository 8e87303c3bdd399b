using System.Text;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

[TestFixture]
[Parallelizable]
internal sealed class SessionSnapshotTests
{
    [Test]
    public void Hash_is_read_into_keys_values_and_generation()
    {
        var snapshot = SessionSnapshot.Parse(
            [Field("@gen", "0123456789abcdef"), Field("@created", "1700000000000"), Field("cart", "1"), Field("", "2"), Field("@@x", "3")],
            protector: null,
            out var generation);

        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)generation, Is.EqualTo("0123456789abcdef"));
            Assert.That(snapshot.Keys, Is.EquivalentTo(["cart", "", "@x"]));
            Assert.That(snapshot.Count, Is.EqualTo(3));
            Assert.That(snapshot.Find("cart"), Is.EqualTo("1"u8.ToArray()));
            Assert.That(snapshot.Find(""), Is.EqualTo("2"u8.ToArray()));
            Assert.That(snapshot.Find("@x"), Is.EqualTo("3"u8.ToArray()));
        }
    }

    [Test]
    public void Own_fields_never_surface()
    {
        var snapshot = SessionSnapshot.Parse(
            [Field("@gen", "g"), Field("@created", "1"), Field("@user", "u"), Field("@later", "x"), Field("@", "y")], protector: null, out _);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(snapshot.Keys, Is.Empty);
            Assert.That(snapshot.Find("@gen"), Is.Null);
            Assert.That(snapshot.Find("@@gen"), Is.Null);
        }
    }

    // A session key of that name is escaped, and must not pass for the generation.
    [Test]
    public void Session_key_named_like_the_generation_is_a_session_key()
    {
        var snapshot = SessionSnapshot.Parse([Field("@@gen", "the application's")], protector: null, out var generation);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(generation.IsNull, Is.True);
            Assert.That(snapshot.Find("@gen"), Is.EqualTo("the application's"u8.ToArray()));
        }
    }

    [Test]
    public void No_hash_is_no_generation_and_no_keys()
    {
        var snapshot = SessionSnapshot.Parse([], protector: null, out var generation);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(generation.IsNull, Is.True);
            Assert.That(snapshot.Count, Is.Zero);
        }
    }

    [Test]
    public void Empty_value_is_not_absent()
    {
        var snapshot = SessionSnapshot.Parse([Field("empty", ""), new HashEntry("null", RedisValue.Null)], protector: null, out _);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(snapshot.Find("empty"), Is.Empty.And.Not.Null);
            Assert.That(snapshot.Find("null"), Is.Empty.And.Not.Null);
            Assert.That(snapshot.Find("absent"), Is.Null);
        }
    }

    [Test]
    public void Keys_that_differ_in_case_are_two()
    {
        var snapshot = SessionSnapshot.Parse([Field("a", "1"), Field("A", "2")], protector: null, out _);
        Assert.That(snapshot.Count, Is.EqualTo(2));
    }

    // As numbers some of them are equal; they are different keys.
    [Test]
    public void Keys_that_look_like_numbers_are_told_apart()
    {
        string[] keys = ["1", "01", "1.0", "1e0", "+1", "-0", "0", "00", "18446744073709551615", "0018446744073709551615"];
        var snapshot = SessionSnapshot.Parse([.. keys.Select(key => Field(key, $"value of {key}"))], protector: null, out _);
        Assert.That(keys.Select(key => Encoding.UTF8.GetString(snapshot.Find(key)!)), Is.EqualTo(keys.Select(key => $"value of {key}")));
    }

    // The first are found by a search, the others through an index.
    [Test]
    public void Many_keys_are_found_as_few_are()
    {
        string[] keys = [.. Enumerable.Range(0, 500).Select(number => $"{(number % 2 == 0 ? "@" : "")}key{number}")];
        HashEntry[] fields = [Field("@gen", "g"), .. keys.Select(key => Field(SessionHashLayout.FieldOf(key), $"value of {key}"))];
        var snapshot = SessionSnapshot.Parse(fields, protector: null, out _);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(keys.Select(key => Encoding.UTF8.GetString(snapshot.Find(key)!)), Is.EqualTo(keys.Select(key => $"value of {key}")));
            Assert.That(snapshot.Find("absent"), Is.Null);
            Assert.That(snapshot.Find("@gen"), Is.Null);
        }
    }

    [Test]
    public void Changes_are_applied_in_place()
    {
        var snapshot = SessionSnapshot.Parse([Field("kept", "1"), Field("changed", "1"), Field("removed", "1")], protector: null, out _);
        var changes = new SessionChanges();
        changes.Set("changed", "2"u8.ToArray());
        changes.Set("new", "3"u8.ToArray());
        changes.Remove("removed");
        changes.Remove("never there");
        snapshot.Apply(changes);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(snapshot.Keys, Is.EquivalentTo(["kept", "changed", "new"]));
            Assert.That(snapshot.Find("changed"), Is.EqualTo("2"u8.ToArray()));
        }
    }

    [Test]
    public void Clear_takes_all_that_was_there_and_nothing_that_came_after()
    {
        var snapshot = SessionSnapshot.Parse([Field("before", "1")], protector: null, out _);
        var changes = new SessionChanges();
        changes.Set("dropped", "2"u8.ToArray());
        changes.Clear();
        changes.Set("after", "3"u8.ToArray());
        snapshot.Apply(changes);

        Assert.That(snapshot.Keys, Is.EquivalentTo(["after"]));
    }

    [Test]
    public void Empty_snapshots_do_not_share_their_keys()
    {
        var changes = new SessionChanges();
        changes.Set("a", []);
        SessionSnapshot.Empty().Apply(changes);
        Assert.That(SessionSnapshot.Empty().Count, Is.Zero);
    }

    private static HashEntry Field(string name, string value) => new(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));
}
