using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Random interleavings of what tasks of one request do with its session, of the moments at which their commands take effect and their
/// replies arrive or do not, and of what other requests do in between: on the real session, with the scripts that it sends, without a
/// server, a clock or a second thread, against <see cref="SessionRules"/>. <c>SESSION_INTERLEAVINGS</c> says how many for each case. A
/// failure prints the fewest steps that lead to it, what happened at each, and a seed.
/// </summary>
[Parallelizable(ParallelScope.None)]
internal sealed class InterleavingTests
{
    private static readonly long Interleavings =
        long.TryParse(Environment.GetEnvironmentVariable("SESSION_INTERLEAVINGS"), out long count) ? count : 2_000;

    [Test]
    public void Reads_and_writes([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing);

    [Test]
    public void Atomic_changes([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic);

    [Test]
    public void Reads_beside_a_new_key([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Renewal, mostRenewals: 1);

    [Test]
    public void New_keys([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Renewal);

    [Test]
    public void Ends_by_the_request([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Abandoning);

    [Test]
    public void Other_requests([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Others);

    [Test]
    public void Takeovers([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Legacy);

    [Test]
    public void Everything([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Reading | Fields.Writing | Fields.Atomic | Fields.Renewal | Fields.Abandoning | Fields.Others);

    [Test]
    public void Everything_of_a_legacy_session([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, (Fields)~0);

    /// <summary>A plan that was found by chance once, and that few others are like.</summary>
    [Test]
    public void What_is_sent_again_says_what_was_seen_meanwhile()
    {
        Step[] steps =
        [
            new(Verb.Increment, SessionRules.Counter, 0, Fate.Answered),
            new(Verb.Reply, "", 0, Fate.Answered),
            new(Verb.Reply, "", 1, Fate.NoScript), // to the script that binds the session to the request's user
            new(Verb.OtherBegins, "b", 0, Fate.Answered),
        ];
        var plan = new Plan(RedisSessionMode.Live, Start.Absent, IsStrict: false, IsSignedIn: true, IsCluster: false, steps);
        Assert.That(Interleaving.FindFault(plan), Is.Null, Story.Of(plan));
    }

    private static void Explore(RedisSessionMode mode, bool faults, Fields fields, int mostRenewals = int.MaxValue) =>
        Plans.Of(mode, faults, fields, mostRenewals).Sample(
            plan => Interleaving.FindFault(plan) is { } fault ? throw new InvalidOperationException(fault) : true,
            iter: Interleavings,
            print: Story.Of);
}
