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
        long.TryParse(Environment.GetEnvironmentVariable("SESSION_INTERLEAVINGS"), out long count) ? count : 3_000;

    [Test]
    public void Reads_and_writes([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Plain);

    [Test]
    public void Atomic_changes([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Plain | Fields.Atomic);

    [Test]
    public void New_keys([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Plain | Fields.Atomic | Fields.Renewal);

    [Test]
    public void Ends([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Plain | Fields.Atomic | Fields.Abandoning | Fields.Others);

    [Test]
    public void Takeovers([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, Fields.Plain | Fields.Atomic | Fields.Legacy | Fields.Others);

    [Test]
    public void Everything([Values] RedisSessionMode mode, [Values] bool faults) =>
        Explore(mode, faults, (Fields)~0);

    private static void Explore(RedisSessionMode mode, bool faults, Fields fields) => Plans.Of(mode, faults, fields).Sample(
        plan => Interleaving.FindFault(plan) is { } fault ? throw new InvalidOperationException(fault) : true,
        iter: Interleavings,
        print: plan => Story.Of(plan));
}
