namespace RedisSession.Provider.Tests;

/// <summary>What a request knows of its session after each answer, as a table. g1 and g2 are generations; "none" is no hash.</summary>
internal sealed class SessionSightTests
{
    // What was known when the question was asked, what is known when the answer is handled, the answer, what is known then.
    private static readonly string[][] Transitions =
    [
        // Answers in the order of asking.
        ["unknown", "unknown", "none", "absent"], ["unknown", "unknown", "g1", "g1"],
        ["absent", "absent", "none", "absent"], ["absent", "absent", "g1", "g1"], // created since, by this request or another
        ["g1", "g1", "g1", "g1"], ["g1", "g1", "none", "ended"], ["g1", "g1", "g2", "ended"],
        ["ended", "ended", "none", "ended"], ["ended", "ended", "g1", "ended"], ["ended", "ended", "g2", "ended"],

        // Answers to questions older than what is known by now.
        ["unknown", "absent", "none", "absent"], ["unknown", "absent", "g1", "g1"],
        ["unknown", "g1", "none", "g1"], ["absent", "g1", "none", "g1"], // asked before our own write created it
        ["unknown", "g1", "g1", "g1"], ["absent", "g1", "g1", "g1"],
        ["unknown", "g1", "g2", "ended"], // the one that was seen is not there any more
        ["unknown", "ended", "none", "ended"], ["unknown", "ended", "g1", "ended"],
        ["absent", "ended", "g1", "ended"], ["g1", "ended", "g1", "ended"],
    ];

    [TestCaseSource(nameof(Transitions))]
    public void Sight_after_an_answer(string asked, string known, string answer, string expected) =>
        Assert.That(NameOf(Sight(known).After(Sight(asked), Generation(answer))), Is.EqualTo(expected));

    /// <summary>Where a renewal of its key has ended it, it is found by that.</summary>
    [Test]
    public void The_end_keeps_what_was_seen_before_it([Values("none", "g2", "~1:0")] string answer) =>
        Assert.That((string?)Sight("g1").After(Sight("g1"), Generation(answer)).LastSeen, Is.EqualTo("g1"));

    [Test]
    public void What_is_seen_of_it_only_after_its_end_is_kept_too()
    {
        var ended = SessionSight.Unknown.After(SessionSight.Unknown, "~1:0");
        Assert.That((string?)ended.After(SessionSight.Unknown, "g1").LastSeen, Is.EqualTo("g1"));
    }

    [TestCase("unknown", "none", true), TestCase("unknown", "g1", true), TestCase("absent", "none", true), TestCase("absent", "g1", true)]
    [TestCase("g1", "g1", true), TestCase("g1", "none", false), TestCase("g1", "g2", false)]
    [TestCase("ended", "none", false), TestCase("ended", "g1", false)]
    public void What_came_with_the_answer_is_this_sessions(string asked, string answer, bool expected) =>
        Assert.That(Sight(asked).Accepts(Generation(answer)), Is.EqualTo(expected));

    [TestCase("unknown", true, false, false, null), TestCase("absent", false, true, false, null)]
    [TestCase("g1", false, false, false, "g1"), TestCase("ended", false, false, true, null)]
    public void Sight_says_what_it_is(string sight, bool isUnknown, bool isAbsent, bool isEnded, string? generation)
    {
        var it = Sight(sight);
        Assert.That(
            (it.IsUnknown, it.IsAbsent, it.IsEnded, (string?)it.Generation), Is.EqualTo((isUnknown, isAbsent, isEnded, generation)));
    }

    [Test]
    public void Sights_are_told_apart() => Assert.That(((string[])["unknown", "absent", "g1", "g2", "ended"]).Select(Sight), Is.Unique);

    private static SessionSight Sight(string name) => name switch
    {
        "unknown" => SessionSight.Unknown,
        "absent" => SessionSight.Absent,
        "ended" => SessionSight.Unknown.Ended(),
        _ => SessionSight.Unknown.After(SessionSight.Unknown, name),
    };

    private static string? NameOf(SessionSight sight) =>
        sight.IsUnknown ? "unknown" : sight.IsAbsent ? "absent" : sight.IsEnded ? "ended" : sight.Generation;

    private static string? Generation(string name) => name == "none" ? null : name;
}
