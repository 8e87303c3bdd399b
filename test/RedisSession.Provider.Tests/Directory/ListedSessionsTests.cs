using System.Diagnostics;
using System.Text;

namespace RedisSession.Provider.Tests;

[TestFixture]
[Parallelizable]
internal sealed class ListedSessionsTests
{
    private readonly string _id = SessionId.Of("a session");

    [Test]
    public void What_was_never_looked_after_is_not_known()
    {
        var sessions = new ListedSessions();
        foreach (string? user in (string?[])[null, "ann"]) Assert.That(sessions.AgeOf(Utf8(_id), user, default, 1_000_000), Is.Null);
    }

    [Test]
    public void Age_counts_from_the_last_time()
    {
        var sessions = new ListedSessions();
        sessions.Remember(Utf8(_id), "ann", "g", 1000);
        Assert.That(sessions.AgeOf(Utf8(_id), "ann", default, 1000), Is.Zero);
        Assert.That(sessions.AgeOf(Utf8(_id), "ann", default, 1700), Is.EqualTo(700));
        sessions.Remember(Utf8(_id), "ann", "g", 1600);
        Assert.That(sessions.AgeOf(Utf8(_id), "ann", default, 1700), Is.EqualTo(100));
    }

    [Test]
    public void A_clock_that_has_run_for_months_makes_no_difference()
    {
        var sessions = new ListedSessions();
        long late = (long)uint.MaxValue * 3;
        sessions.Remember(Utf8(_id), "ann", "g", late - 100);
        Assert.That(sessions.AgeOf(Utf8(_id), "ann", default, late + 100), Is.EqualTo(200));
    }

    [Test]
    public void Another_user_is_another_matter_and_nobody_is_content_with_any()
    {
        var sessions = new ListedSessions();
        sessions.Remember(Utf8(_id), "ann", "g", 1000);
        Assert.That(sessions.AgeOf(Utf8(_id), "bob", default, 1000), Is.Null);
        Assert.That(sessions.AgeOf(Utf8(_id), null, default, 1000), Is.Zero);
        sessions.Remember(Utf8(_id), "bob", "g", 1000);
        Assert.That(sessions.AgeOf(Utf8(_id), "ann", default, 1000), Is.Null);
        sessions.Remember(Utf8(_id), null, "g", 1000);
        Assert.That(sessions.AgeOf(Utf8(_id), "bob", default, 1000), Is.Null);
        Assert.That(sessions.AgeOf(Utf8(_id), null, default, 1000), Is.Zero);
    }

    [Test]
    public void Another_life_of_the_session_is_another_matter_and_who_has_not_seen_which_is_content_with_any()
    {
        var sessions = new ListedSessions();
        foreach (string life in new[] { "AAAAAAAA", "12345678", "made by hand, and longer" })
        {
            sessions.Remember(Utf8(_id), "ann", life, 1000);
            Assert.That(sessions.AgeOf(Utf8(_id), "ann", life, 1000), Is.Zero);
            Assert.That(sessions.AgeOf(Utf8(_id), "ann", default, 1000), Is.Zero);
            Assert.That(sessions.AgeOf(Utf8(_id), "ann", "BBBBBBBB", 1000), Is.Null);
        }
    }

    [Test]
    public void However_many_sessions_there_are_none_is_taken_for_another()
    {
        var sessions = new ListedSessions();
        string[] ids = [.. Enumerable.Range(0, 200_000).Select(i => SessionId.Of($"session {i}"))];
        for (int i = 0; i < ids.Length; i++) sessions.Remember(Utf8(ids[i]), "ann", "g", i);
        int known = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            if (sessions.AgeOf(Utf8(ids[i]), "ann", default, ids.Length) is not { } age) continue;
            Assert.That(age, Is.EqualTo(ids.Length - i));
            known++;
        }

        Assert.That(known, Is.InRange(40_000, 65_536));
        var others = Enumerable.Range(0, 100_000).Select(i => Utf8(SessionId.Of($"other {i}")));
        Assert.That(others.Count(other => sessions.AgeOf(other, "ann", default, 0) is not null), Is.Zero);
    }

    /// <summary>Two sessions of one user that share an entry, written and read at once.</summary>
    [Test]
    public async Task Halves_of_two_entries_are_never_taken_for_one()
    {
        var sessions = new ListedSessions();
        byte[] utf8 = Utf8(_id).ToArray();
        string other = Enumerable.Range(0, int.MaxValue).Select(i => SessionId.Of($"session {i}")).First(PushesOut);
        bool isOver = false;
        var writing = Task.Run(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                sessions.Remember(Utf8(_id), "ann", "g", 1000);
                sessions.Remember(Utf8(other), "ann", "g", 2000);
            }
        });
        // Until they have often met: on a machine that is busy they may take turns of milliseconds.
        var ages = new HashSet<long>();
        var clock = Stopwatch.StartNew();
        bool wasThere = false;
        for (int turns = 0; turns < 20_000 && clock.Elapsed < TimeSpan.FromSeconds(5);)
        {
            var age = sessions.AgeOf(utf8, "ann", default, 3000);
            if (age is not null) ages.Add(age.Value);
            if (wasThere != age is not null) turns++;
            wasThere = age is not null;
        }

        Volatile.Write(ref isOver, true);
        await writing;
        Assert.That(ages, Is.EqualTo([2000]));

        bool PushesOut(string id)
        {
            sessions.Remember(Utf8(_id), "ann", "g", 0);
            sessions.Remember(Utf8(id), "ann", "g", 0);
            return sessions.AgeOf(utf8, "ann", default, 0) is null;
        }
    }

    private static byte[] Utf8(string id) => Encoding.UTF8.GetBytes(id);
}
