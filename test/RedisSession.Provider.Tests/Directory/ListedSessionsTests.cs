using System.Diagnostics;

namespace RedisSession.Provider.Tests;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ListedSessionsTests
{
    private readonly ListedSessions _sessions = new();
    private readonly byte[] _id = Utf8(SessionId.Of("a session"));

    [Test]
    public void What_was_never_looked_after_is_not_known()
    {
        foreach (string? user in (string?[])[null, "ann"]) Assert.That(AgeOf(user, 1_000_000), Is.Null);
    }

    [Test]
    public void Age_counts_from_the_last_time_even_after_months([Values(1000L, (3L * uint.MaxValue) - 100)] long first)
    {
        _sessions.Remember(_id, "ann", "g", first);
        Assert.That(AgeOf("ann", first), Is.Zero);
        Assert.That(AgeOf("ann", first + 700), Is.EqualTo(700));
        _sessions.Remember(_id, "ann", "g", first + 600);
        Assert.That(AgeOf("ann", first + 700), Is.EqualTo(100));
    }

    [Test]
    public void Another_user_is_another_matter_and_nobody_is_content_with_any()
    {
        _sessions.Remember(_id, "ann", "g", 1000);
        Assert.That((AgeOf("bob"), AgeOf(null)), Is.EqualTo(((long?)null, (long?)0)));
        _sessions.Remember(_id, "bob", "g", 1000);
        Assert.That(AgeOf("ann"), Is.Null);
        _sessions.Remember(_id, null, "g", 1000);
        Assert.That((AgeOf("bob"), AgeOf(null)), Is.EqualTo(((long?)null, (long?)0)));
    }

    [Test]
    public void Another_life_of_the_session_is_another_matter_and_who_has_not_seen_which_is_content_with_any()
    {
        foreach (string life in new[] { "AAAAAAAA", "12345678", "made by hand, and longer" })
        {
            _sessions.Remember(_id, "ann", life, 1000);
            Assert.That(_sessions.AgeOf(_id, "ann", life, 1000), Is.Zero);
            Assert.That(AgeOf("ann"), Is.Zero);
            Assert.That(_sessions.AgeOf(_id, "ann", "BBBBBBBB", 1000), Is.Null);
        }
    }

    [Test]
    public void However_many_sessions_there_are_none_is_taken_for_another()
    {
        string[] ids = [.. Enumerable.Range(0, 200_000).Select(i => SessionId.Of($"session {i}"))];
        for (int i = 0; i < ids.Length; i++) _sessions.Remember(Utf8(ids[i]), "ann", "g", i);
        int known = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            if (_sessions.AgeOf(Utf8(ids[i]), "ann", default, ids.Length) is not { } age) continue;
            Assert.That(age, Is.EqualTo(ids.Length - i));
            known++;
        }

        Assert.That(known, Is.InRange(40_000, 65_536));
        var others = Enumerable.Range(0, 100_000).Select(i => Utf8(SessionId.Of($"other {i}")));
        Assert.That(others.Count(other => _sessions.AgeOf(other, "ann", default, 0) is not null), Is.Zero);
    }

    /// <summary>Two sessions of one user that share an entry, written and read at once.</summary>
    [Test]
    public async Task Halves_of_two_entries_are_never_taken_for_one()
    {
        string other = Enumerable.Range(0, int.MaxValue).Select(i => SessionId.Of($"session {i}")).First(PushesOut);
        bool isOver = false;
        var writing = Task.Run(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                _sessions.Remember(_id, "ann", "g", 1000);
                _sessions.Remember(Utf8(other), "ann", "g", 2000);
            }
        });
        // Until they have often met: on a machine that is busy they may take turns of milliseconds.
        var ages = new HashSet<long>();
        var clock = Stopwatch.StartNew();
        bool wasThere = false;
        for (int turns = 0; turns < 20_000 && clock.Elapsed < TimeSpan.FromSeconds(5);)
        {
            var age = AgeOf("ann", 3000);
            if (age is not null) ages.Add(age.Value);
            if (wasThere != age is not null) turns++;
            wasThere = age is not null;
        }

        Volatile.Write(ref isOver, true);
        await writing;
        Assert.That(ages, Is.EqualTo([2000]));

        bool PushesOut(string id)
        {
            _sessions.Remember(_id, "ann", "g", 0);
            _sessions.Remember(Utf8(id), "ann", "g", 0);
            return AgeOf("ann", 0) is null;
        }
    }

    private long? AgeOf(string? user, long now = 1000) => _sessions.AgeOf(_id, user, default, now);

    private static byte[] Utf8(string id) => Encoding.UTF8.GetBytes(id);
}
