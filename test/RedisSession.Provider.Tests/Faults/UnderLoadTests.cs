namespace RedisSession.Provider.Tests;

/// <summary>Things that break while requests are under way: what is confirmed stays, and nobody gets another's session.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.OnProcesses))]
[Category(FullRun.Only)]
internal sealed class UnderLoadTests(ServerKind kind, Pipeline pipeline)
{
    // Asynchronous members tell the truth in both failure modes, the status of a response with Throw only.
    public static IEnumerable<Load> Loads() =>
        from mode in Enum.GetValues<RedisSessionMode>()
        from load in (Load[])
        [
            new(mode, FailureMode.Throw, CounterLoad.Way.Asynchronous), new(mode, FailureMode.Throw, CounterLoad.Way.ByStatus),
            new(mode, FailureMode.LogAndContinue, CounterLoad.Way.Asynchronous), new(mode, FailureMode.LogAndContinue, CounterLoad.Way.Synchronous),
        ]
        select load;

    [TestCaseSource(nameof(Loads))]
    public async Task Killed_and_restarted_with_appendfsync_always_the_server_has_every_confirmed_write(Load load)
    {
        await using var server = await ServerProcess.StartAsync(kind, "--appendonly", "yes", "--appendfsync", "always");
        var tolerance = TimeSpan.FromMilliseconds(300); // so that some fail
        await NothingIsLostAsync(server.ConfigurationString, load, tolerance: tolerance, happens: async counters =>
        {
            server.Kill();
            await counters.UntilFailedAsync(writes: 1);
            await server.RestartAsync();
        });
    }

    [TestCaseSource(nameof(Loads))]
    public async Task A_server_that_forgets_its_scripts_all_the_time_loses_nothing(Load load)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        var counters = await NothingIsLostAsync(server.ConfigurationString, load, async _ =>
        {
            for (int i = 0; i < 200; i++) await server.AskAsync("SCRIPT", "FLUSH");
        });
        Assert.That(counters.Failed, Is.Zero);
    }

    [TestCaseSource(nameof(Loads))]
    public async Task A_paused_server_holds_nobody_longer_than_the_IOTimeout_and_then_serves_again(Load load)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        var ioTimeout = TimeSpan.FromMilliseconds(200);
        var counters = await NothingIsLostAsync(server.ConfigurationString, load, ioTimeout: ioTimeout, happens: async counters =>
        {
            using var paused = server.Paused();
            await counters.UntilFailedAsync(writes: 2 * CounterLoad.Visitors); // each twice: waiting is over before the pause is
        });
        const string Because = "the client's own timeout is 5 seconds, and without one it would be the pause";
        Assert.That(counters.Slowest, Is.LessThan(TimeSpan.FromSeconds(4)), Because);
    }

    [TestCaseSource(nameof(Loads))]
    public async Task A_connection_that_is_cut_in_the_middle_of_replies_mixes_nothing_up(Load load)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var relay = new Relay(server.ConfigurationString);
        var counters = await NothingIsLostAsync(relay.Address, load, async counters =>
        {
            for (int cut = 1; cut <= 5; cut++)
            {
                await counters.UntilServedAsync();
                int before = relay.CutsInReplies;
                relay.CutAfter((cut * 37) + 1);
                await Assert.ThatAsync(() => Task.FromResult(relay.CutsInReplies), Is.GreaterThan(before).After(10_000, 5));
            }
        });
        Assert.That(counters.Failed, Is.Zero, "what was under way is sent again");
    }

    /// <summary>While <paramref name="happens"/> and afterwards.</summary>
    private async Task<CounterLoad> NothingIsLostAsync(
        string configuration, Load load, Func<CounterLoad, Task> happens, TimeSpan? ioTimeout = null, TimeSpan? tolerance = null)
    {
        await using var app = await TestApp.StartAsync(configuration, use: app => app.Use(pipeline), configure: options =>
        {
            (options.Mode, options.FailureMode, options.IOTimeout) = (load.Mode, load.FailureMode, ioTimeout ?? TimeSpan.FromSeconds(5));
            options.OutageTolerance = tolerance ?? options.OutageTolerance;
        });
        await using var counters = CounterLoad.Start(app, load.Way);
        await counters.UntilServedAsync();
        await happens(counters);
        await counters.UntilServedAsync();
        Assert.That(await counters.StopAndFindLostAsync(), Is.Empty);
        Assert.That(counters.Faults, Is.Empty);
        return counters;
    }

    public sealed record Load(RedisSessionMode Mode, FailureMode FailureMode, CounterLoad.Way Way);
}
