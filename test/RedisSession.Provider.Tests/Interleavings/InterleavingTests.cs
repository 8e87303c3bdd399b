using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Random interleavings of what tasks of one request do with its session, of the moments at which their commands take effect and their
/// replies arrive or do not, and of what other requests do in between: on the real session, with the scripts that it sends, without a
/// server, a clock or a second thread, against <see cref="SessionRules"/>. <c>SESSION_INTERLEAVINGS</c> says how many for each case. A
/// failure prints the fewest steps that lead to it, what happened at each, and a seed.
/// </summary>
[NonParallelizable]
internal sealed class InterleavingTests
{
    private static readonly long Interleavings =
        long.TryParse(Environment.GetEnvironmentVariable("SESSION_INTERLEAVINGS"), out long count) ? count : 1_300;

    [Test]
    public void Reads_and_writes([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing);

    [Test]
    public void Atomic_changes([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic);

    [Test]
    public void Reads_beside_a_new_key([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Renewal, mostRenewals: 1);

    [Test]
    public void New_keys([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Renewal);

    [Test]
    public void Ends_by_the_request([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Abandoning);

    [Test]
    public void Other_requests([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Others);

    [Test]
    public void Takeovers([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Legacy);

    [Test]
    public void Everything([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Renewal | Fields.Abandoning | Fields.Others);

    [Test]
    public void Everything_of_a_legacy_session([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, (Fields)~0 & ~Fields.Locking);

    [Test]
    public void Locks([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Locking);

    [Test]
    public void Locks_and_other_requests([Values] RedisSessionMode mode, [Values] Faults faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Locking | Fields.Others);

    /// <summary>Plans that were found by chance, and that few others are like.</summary>
    private static IEnumerable<TestCaseData> Found()
    {
        yield return Case(
            "what is sent again says what was seen meanwhile",
            Start.Absent,
            isSignedIn: true,
            new(Verb.Increment, SessionRules.Counter),
            new(Verb.Reply),
            new(Verb.Reply, Pick: 1, Fate: Fate.NoScript), // to the script that binds the session to the request's user
            new(Verb.OtherBegins, "b"));
        yield return Case(
            "what is sent again does not come behind what has taken it",
            Start.New,
            isSignedIn: false,
            new(Verb.Clear),
            new(Verb.Take, "a"),
            new(Verb.SetAsync, "a"),
            new(Verb.Reply, Pick: 1, Fate: Fate.NoScript), // to SetAsync
            new(Verb.SetAsync, "a"),
            new(Verb.Take, "a"));
        yield return Case(
            "what is sent again is taken in behind what came before it then",
            Start.Present,
            isSignedIn: false,
            new(Verb.Load),
            new(Verb.TrySet, "b"),
            new(Verb.RemoveAsync, "b"),
            new(Verb.Reply, Pick: 3, Fate: Fate.NoScript), // to TrySet
            new(Verb.Replies),
            new(Verb.Get, "b"));
        yield return Case(
            "who finds no session to list does not remove what another has listed",
            Start.New,
            isSignedIn: true,
            new(Verb.Clear),
            new(Verb.RenewForUser),
            new(Verb.Reply, Pick: 1, Fate: Fate.NoScript), // to the script that lists the session
            new(Verb.Reply),
            new(Verb.Reply),
            new(Verb.Reply, Pick: 3));
        yield return Case(
            "a snapshot that comes late does not replace a newer one",
            Start.Present,
            isSignedIn: false,
            new(Verb.Load),
            new(Verb.Server),
            new(Verb.OtherTakes, "a"),
            new(Verb.Reload),
            new(Verb.Reply, Pick: 3),
            new(Verb.Reply, Pick: 2),
            new(Verb.Get, "a"));
        yield return Case(
            "what is changed while the lock is given back is not refused",
            Start.New,
            isSignedIn: false,
            new(Verb.Lock),
            new(Verb.Replies),
            new(Verb.Unlock),
            new(Verb.SetAsync, "b"));

        yield return Case(
            "who has abandoned a session cannot renew it, though another request has renewed it",
            Start.Present,
            isSignedIn: false,
            new(Verb.OtherRenews),
            new(Verb.Abandon),
            new(Verb.Renew));
        yield return Case(
            "a renewal does not go on with a session that has begun in the old one's place and was renewed itself",
            Start.Present,
            isSignedIn: false,
            new(Verb.Renew),
            new(Verb.Server),
            new(Verb.OtherBegins, "a"),
            new(Verb.OtherRenews));
        yield return Case(
            "who abandons a session whose renewal is undone meanwhile means the old one",
            Start.Present,
            isSignedIn: true,
            new(Verb.Renew),
            new(Verb.Replies),
            new(Verb.Read, "a"),
            new(Verb.SetAsync, "b"),
            new(Verb.Abandon),
            new(Verb.Reply, Fate: Fate.Refused), // to Read
            new(Verb.Respond));
        yield return Case(
            "what is changed while the lock is given back, and sent again, is not refused either",
            Start.Present,
            isSignedIn: false,
            new(Verb.Lock),
            new(Verb.Replies),
            new(Verb.SetAsync, "b"),
            new(Verb.Unlock),
            new(Verb.SetAsync, "b"),
            new(Verb.Clear),
            new(Verb.Reply, Pick: 2, Fate: Fate.NoScript)); // to Clear
        yield return Case(
            "the answer to a write says which session there is, though the one before it has failed",
            Start.Present,
            isSignedIn: false,
            new(Verb.SetAsync, "a"),
            new(Verb.Set, "a"),
            new(Verb.Respond),
            new(Verb.Reply, Fate: Fate.Refused), // to SetAsync
            new(Verb.Replies),
            new(Verb.OtherAbandons),
            new(Verb.Increment, SessionRules.Counter));
        yield return Case(
            "an atomic change that is sent again, with its script, begins a session of the request's user",
            Start.New,
            isSignedIn: true,
            new(Verb.Increment, SessionRules.Counter),
            new(Verb.Reply, Fate: Fate.NoScript));
        yield return Case(
            "a session that begins after a write that began none is the request's user's",
            Start.Absent,
            isSignedIn: true,
            new(Verb.RemoveAsync, "b"),
            new(Verb.Increment, SessionRules.Counter));

        yield return Case(
            "what was counted before two renewals at once is there after them",
            Start.Present,
            isSignedIn: false,
            new(Verb.OtherIncrements, SessionRules.Counter),
            new(Verb.Renew),
            new(Verb.Server),
            new(Verb.OtherRenews),
            new(Verb.Increment, SessionRules.Counter));

        yield return Resent(
            "a write that is lost and sent again does not undo a newer one",
            new(Verb.Set, "b"),
            new(Verb.Set, "b"),
            new(Verb.Reply, Fate: Fate.Lost)); // to the first
        yield return Resent(
            "nor when it is lost twice",
            new(Verb.SetAsync, "b"),
            new(Verb.Reply, Fate: Fate.Lost),
            new(Verb.Reply, Pick: 1, Fate: Fate.Silent), // to the second try
            new(Verb.SetAsync, "b"));
        yield return Resent(
            "a read that is lost and sent again does not wait for the end of its own request's renewal",
            new(Verb.Load),
            new(Verb.Reply, Pick: 2, Fate: Fate.Silent), // to HGETALL
            new(Verb.Renew));

        static TestCaseData Case(string name, Start start, bool isSignedIn, params Step[] steps) =>
            new TestCaseData(new Plan(RedisSessionMode.Live, start, IsStrict: false, isSignedIn, IsCluster: false, IsPatient: false, steps))
                .SetArgDisplayNames(name);

        static TestCaseData Resent(string name, params Step[] steps) => new TestCaseData(
            new Plan(RedisSessionMode.Live, Start.Present, IsStrict: false, IsSignedIn: false, IsCluster: false, IsPatient: true, steps))
            .SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Found))]
    public void Found_by_chance(object plan) =>
        Assert.That(Interleaving.FindFault((Plan)plan), Is.Null, Story.Of((Plan)plan));

    private static void Explore(RedisSessionMode mode, Faults faults, Fields fields, int mostRenewals = int.MaxValue) =>
        Plans.Of(mode, faults, fields, mostRenewals).Sample(
            plan => Interleaving.FindFault(plan) is { } fault ? throw new InvalidOperationException(fault) : true,
            iter: Interleavings,
            print: Story.Of);
}
