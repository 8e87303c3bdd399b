using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>Random sequences of changes against a dictionary that takes them one by one.</summary>
internal sealed class SessionChangesTests
{
    private const int Samples = 2_000;

    private static readonly SessionExpiry Expiry = new(1_200_000, 28_800_000);
    private static readonly Gen<Change[]> Sequence = Change.Any.Array[0, 20];

    [Test]
    public void Net_effect_on_a_snapshot_is_that_of_the_sequence() => Gen.Select(Change.AnySession, Sequence).Sample(
        (before, sequence) =>
        {
            var snapshot = SessionSnapshot.Parse(Hash.Of(before).Entries(), protector: null, out _);
            snapshot.Apply(Change.Net(sequence));
            return Same(Change.Applied(before, sequence), snapshot);
        },
        iter: Samples);

    [Test]
    public void Arguments_do_to_a_hash_what_the_sequence_does_however_often([Values(1, 2)] int times) =>
        Gen.Select(Change.AnySession, Sequence).Sample(
        (before, sequence) =>
        {
            var arguments = Arguments(Change.Net(sequence));
            var hash = Hash.Of(before);
            for (int i = 0; i < times; i++) hash.Apply(arguments);
            return Same(hash, Hash.Of(Change.Applied(before, sequence)));
        },
        iter: Samples);

    [Test]
    public void Two_parts_together_are_the_whole() => Gen.Select(Change.AnySession, Sequence, Sequence).Sample(
        (before, earlier, later) =>
        {
            var changes = Change.Net(earlier);
            changes.Append(Change.Net(later));

            var hash = Hash.Of(before);
            hash.Apply(Arguments(changes));
            return Same(hash, Hash.Of(Change.Applied(before, earlier.Concat(later))));
        },
        iter: Samples);

    [Test]
    public void Appending_leaves_the_later_part_as_it_is() => Gen.Select(Sequence, Sequence).Sample(
        (earlier, later) =>
        {
            var part = Change.Net(later);
            Change.Net(earlier).Append(part);
            return Arguments(part).SequenceEqual(Arguments(Change.Net(later)));
        },
        iter: Samples);

    [Test]
    public void Changes_decide_what_they_touched_and_after_a_clear_everything() => Gen.Select(Sequence, Gen.OneOf(Change.Keys)).Sample(
        (sequence, key) =>
        {
            bool decides = sequence.Any(change => change == Change.Clear || change.Key == key);
            byte[]? expected = Change.Applied([], sequence).GetValueOrDefault(key);
            return Change.Net(sequence).Decides(key, out byte[]? value) == decides && ReferenceEquals(value, expected);
        },
        iter: Samples);

    [Test]
    public void Changes_are_empty_when_nothing_was_changed() =>
        Sequence.Sample(sequence => Change.Net(sequence).IsEmpty == (sequence.Length == 0), iter: Samples);

    [Test]
    public void Changes_know_that_all_was_cleared() =>
        Sequence.Sample(sequence => Change.Net(sequence).Cleared == sequence.Contains(Change.Clear), iter: Samples);

    [Test]
    public void Only_what_sets_something_may_create_a_hash() => Sequence.Sample(
        sequence => (int)Arguments(Change.Net(sequence))[4] % 2 == (Change.Applied([], sequence).Count > 0 ? 1 : 0),
        iter: Samples);

    private static IEnumerable<TestCaseData> Orders()
    {
        TestCaseData Case(string name, string expected, SessionExpiry expiry, RedisValue seen, params Change[] sequence) =>
            new TestCaseData(sequence, expiry, seen, expected).SetArgDisplayNames(name);
        byte[] one = "1"u8.ToArray();
        yield return Case(
            "everything", "1200000|28800000|generation seen|new generation|11|removed|@@removed|set|1|@@set|", Expiry, "generation seen",
            Change.Clear, Change.Set("set", one), Change.Remove("removed"), Change.Set("@set", []), Change.Remove("@removed"));
        yield return Case(
            "a removal from a session not seen yet", "1000|0||new generation|4|removed", new(1_000, 0), default, Change.Remove("removed"));
        yield return Case(
            "what was removed is set, and what was set removed", "1200000|28800000||new generation|5|b|a|1", Expiry, "",
            Change.Remove("a"), Change.Set("a", one), Change.Set("b", one), Change.Remove("b"), Change.Remove("b"));
    }

    [TestCaseSource(nameof(Orders))]
    public void Arguments_stand_in_the_order_that_the_script_reads(
        Change[] sequence, SessionExpiry expiry, RedisValue seen, string expected) =>
        Assert.That(Texts(ArgumentsOf(Change.Net(sequence), expiry, seen)), Is.EqualTo(expected));

    // A null argument would be sent as nothing at all and shift what comes after it.
    [Test]
    public void No_argument_is_null() => Sequence.Sample(
        sequence => ArgumentsOf(Change.Net(sequence), Expiry, default).All(argument => !argument.IsNull),
        iter: Samples);

    [Test]
    public void Keys_that_differ_in_case_are_two()
    {
        var changes = new SessionChanges();
        changes.Set("a", "1"u8.ToArray());
        Assert.That(changes.Decides("A", out _), Is.False);
    }

    // Few are searched, many are found through an index.
    [Test]
    public void Many_keys_are_kept_as_few_are()
    {
        var changes = new SessionChanges();
        var expected = new Dictionary<string, byte[]?>();
        for (int number = 0; number < 200; number++)
        {
            string key = $"key{number % 60}";
            byte[] value = [(byte)number];
            if (number % 7 == 0) changes.Remove(key);
            else changes.Set(key, value);
            expected[key] = number % 7 == 0 ? null : value;
        }

        using (Assert.EnterMultipleScope())
        {
            Assert.That(changes.Keys.ToArray(), Is.EqualTo(expected));
            Assert.That(expected.Keys.Select(key => changes.Decides(key, out var value) ? value : [0, 0]), Is.EqualTo(expected.Values));
            Assert.That(changes.Decides("key60", out _), Is.False);
        }

        changes.Clear();
        changes.Set("after", []);
        Assert.That(changes.Keys.ToArray().Select(change => change.Key), Is.EqualTo(["after"]));
    }

    [Test]
    public void What_is_only_set_in_a_session_that_was_seen_takes_the_short_script()
    {
        var changes = new SessionChanges();
        changes.Set("@a", "1"u8.ToArray());
        foreach (bool isFresh in new[] { false, true })
        {
            var (script, arguments) = SessionScripts.For(changes, new(1_000, 0), isFresh, "seen", "new generation", protector: null);
            Assert.That(script, Is.SameAs(SessionScripts.Set));
            Assert.That(Texts(arguments), Is.EqualTo(isFresh ? "seen||@@a|1" : "seen|1000|@@a|1"));
        }

        changes.Remove("b");
        Assert.That(SessionScripts.For(changes, new(1_000, 0), true, "seen", "", protector: null).Script, Is.SameAs(SessionScripts.Change));
        Assert.That(Texts(SessionScripts.For(changes, new(1_000, 0), true, "seen", "", protector: null).Arguments), Does.StartWith("-1000|0|"));
    }

    private static RedisValue[] Arguments(SessionChanges changes) => ArgumentsOf(changes, Expiry, "generation");

    private static RedisValue[] ArgumentsOf(SessionChanges changes, SessionExpiry expiry, RedisValue seen) =>
        SessionScripts.For(changes, expiry, isFresh: false, seen, "new generation", protector: null).Arguments;

    private static string Texts(RedisValue[] arguments) =>
        string.Join('|', arguments.Select(argument => Encoding.UTF8.GetString((byte[])argument!)));

    private static bool Same(Dictionary<string, byte[]> expected, SessionSnapshot snapshot) =>
        snapshot.Count == expected.Count
        && snapshot.Keys.ToHashSet().SetEquals(expected.Keys)
        && expected.All(pair => snapshot.Find(pair.Key).AsSpan().SequenceEqual(pair.Value));

    private static bool Same(Hash one, Hash other) =>
        one.Count == other.Count
        && one.All(field => other.TryGetValue(field.Key, out byte[]? value) && value.AsSpan().SequenceEqual(field.Value));

    [Test]
    public void Merged_changes_are_the_earlier_ones_and_then_the_later_ones()
    {
        SessionChanges earlier = new(), later = new();
        earlier.Set("key", [1]);
        earlier.Set("own", [1]);
        later.Set("key", [2]);
        Assert.That(SessionChanges.Merge(earlier, null), Is.SameAs(earlier));
        Assert.That(SessionChanges.Merge(null, later), Is.SameAs(later));
        var both = SessionChanges.Merge(earlier, later);
        Assert.That(both.Decides("key", out byte[]? value) && value![0] == 2, Is.True);
        Assert.That(both.Decides("own", out value) && value![0] == 1, Is.True);
    }

    [TestCase("ann", null, "ann"), TestCase(null, "bob", "bob"), TestCase("ann", "bob", "bob")]
    public void The_last_user_that_changes_bind_to_is_the_owner(string? earlier, string? later, string owner)
    {
        SessionChanges changes = new(), added = new();
        if (earlier is not null) changes.Bind(earlier);
        if (later is not null) added.Bind(later);
        changes.Append(added);
        Assert.That(changes.User, Is.EqualTo(owner));
    }
}
