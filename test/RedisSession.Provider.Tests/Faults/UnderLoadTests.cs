using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Things that break while requests are under way: what is confirmed stays, and nobody gets another's session.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.OnProcesses))]
[Parallelizable]
[Category(FullRun.Only)]
internal sealed class UnderLoadTests(ServerKind kind, Pipeline pipeline)
{
    // Asynchronous members tell the truth in both failure modes, the status of a response with Throw only.
    public static IEnumerable<TestCaseData> Loads() =>
        from mode in Enum.GetValues<RedisSessionMode>()
        from load in (List<(FailureMode, CounterLoad.Way)>)
        [
            (FailureMode.Throw, CounterLoad.Way.Asynchronous),
            (FailureMode.Throw, CounterLoad.Way.ByStatus),
            (FailureMode.LogAndContinue, CounterLoad.Way.Asynchronous),
            (FailureMode.LogAndContinue, CounterLoad.Way.Synchronous),
        ]
        select new TestCaseData(mode, load.Item1, load.Item2);

    [TestCaseSource(nameof(Loads))]
    public async Task Killed_and_restarted_with_appendfsync_always_the_server_has_every_confirmed_write(
        RedisSessionMode mode, FailureMode failureMode, CounterLoad.Way way)
    {
        await using var server = await ServerProcess.StartAsync(kind, "--appendonly", "yes", "--appendfsync", "always");
        await using var app = await StartAsync(server.ConfigurationString, mode, failureMode);
        await using var load = CounterLoad.Start(app, way);
        await load.UntilServedAsync();

        server.Kill();
        await Assert.ThatAsync(() => Task.FromResult(load.Failed), Is.GreaterThan(0).After(10_000, 5));
        await server.RestartAsync();
        await load.UntilServedAsync();

        Assert.That(await load.StopAndCountLostAsync(), Is.Zero);
        Assert.That(load.Faults, Is.Empty);
    }

    [TestCaseSource(nameof(Loads))]
    public async Task A_server_that_forgets_its_scripts_all_the_time_loses_nothing(
        RedisSessionMode mode, FailureMode failureMode, CounterLoad.Way way)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server.ConfigurationString, mode, failureMode);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString + ",allowAdmin=true");
        await using var load = CounterLoad.Start(app, way);
        await load.UntilServedAsync();

        for (int i = 0; i < 200; i++) await admin.GetServers().Single().ScriptFlushAsync();
        await load.UntilServedAsync();

        Assert.That(await load.StopAndCountLostAsync(), Is.Zero);
        Assert.That(load.Failed, Is.Zero);
        Assert.That(load.Faults, Is.Empty);
    }

    [TestCaseSource(nameof(Loads))]
    public async Task A_paused_server_holds_nobody_longer_than_the_IOTimeout_and_then_serves_again(
        RedisSessionMode mode, FailureMode failureMode, CounterLoad.Way way)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server.ConfigurationString, mode, failureMode, ioTimeout: TimeSpan.FromMilliseconds(200));
        await using var load = CounterLoad.Start(app, way);
        await load.UntilServedAsync();

        server.Pause();
        try
        {
            // Each visitor fails twice: waiting is over before the pause is.
            await Assert.ThatAsync(() => Task.FromResult(load.Failed), Is.GreaterThanOrEqualTo(2 * CounterLoad.Visitors).After(10_000, 5));
        }
        finally
        {
            server.Resume();
        }

        await load.UntilServedAsync();
        Assert.That(await load.StopAndCountLostAsync(), Is.Zero);
        Assert.That(
            load.Slowest,
            Is.LessThan(TimeSpan.FromSeconds(4)),
            "the client's own timeout is 5 seconds, and without one it would be the pause");
        Assert.That(load.Faults, Is.Empty);
    }

    [TestCaseSource(nameof(Loads))]
    public async Task A_connection_that_is_cut_in_the_middle_of_replies_mixes_nothing_up(
        RedisSessionMode mode, FailureMode failureMode, CounterLoad.Way way)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var relay = new Relay(server.ConfigurationString);
        await using var app = await StartAsync(relay.Address, mode, failureMode);
        await using var load = CounterLoad.Start(app, way);
        for (int cut = 1; cut <= 5; cut++)
        {
            await load.UntilServedAsync();
            int before = relay.CutsInReplies;
            relay.CutAfter((cut * 37) + 1);
            await Assert.ThatAsync(() => Task.FromResult(relay.CutsInReplies), Is.GreaterThan(before).After(10_000, 5));
        }

        await load.UntilServedAsync();
        Assert.That(await load.StopAndCountLostAsync(), Is.Zero);
        Assert.That(load.Failed, Is.Zero, "what was under way is sent again");
        Assert.That(load.Faults, Is.Empty);
    }

    private Task<TestApp> StartAsync(string configuration, RedisSessionMode mode, FailureMode failureMode, TimeSpan? ioTimeout = null) =>
        TestApp.StartAsync(
            configuration,
            options =>
            {
                (options.Mode, options.FailureMode) = (mode, failureMode);
                options.IOTimeout = ioTimeout ?? TimeSpan.FromSeconds(5);
            },
            app => app.Use(pipeline));
}
