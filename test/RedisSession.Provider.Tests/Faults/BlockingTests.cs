using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>
/// The synchronous API under a burst: every thread of the pool waits for a reply, and the replies must come all the same; after an outage
/// too, where Redis needs threads itself to come back. Nothing runs beside it, because it takes the whole pool. How stock does beside it:
/// <c>dotnet run -c Release --project test/RedisSession.Provider.Benchmarks -- blocking</c>.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable]
internal sealed class BlockingTests(ServerKind kind)
{
    private const string Flag = "DedicatedThreads";

    // A second, on a machine that has nothing else to do. Half a minute is what a pool needs that has to grow by itself.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    [TearDown]
    public void SetFlag() => ConnectionMultiplexer.SetFeatureFlag(Flag, true);

    [Test]
    public async Task Of_200_simultaneous_requests_that_read_5_keys_synchronously_all_are_answered([Values] RedisSessionMode mode)
    {
        var server = await TestServers.GetAsync(kind);
        await using var app = await TestApp.StartAsync(server.ConfigurationString, options =>
            (options.KeyPrefix, options.Mode, options.FailureMode) = (SessionStack.NewKeyPrefix(), mode, FailureMode.Throw));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => { for (int i = 0; i < 5; i++) session.SetValue($"key{i}", i); });
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            int sum = 0;
            using var response = await browser.SendAsync(context =>
            {
                for (int i = 0; i < 5; i++) sum += context.Session.GetInt($"key{i}");
            });
            return (response.StatusCode, sum);
        }));
        Assert.That(answers, Is.All.EqualTo((HttpStatusCode.OK, 10)));
        Assert.That(app.Logs.Of(SessionEvents.TimedOut).Concat(app.Logs.Of(SessionEvents.ReadFailed)), Is.Empty);
    }

    [Test]
    [Category(FullRun.Only)]
    public async Task Of_200_who_read_in_a_short_outage_all_are_answered_as_soon_as_it_is_over([Values] RedisSessionMode mode)
    {
        await using var relayed = await RelayedApp.StartAsync(kind, options => options.Mode = mode);
        relayed.Relay.Down();
        await AnsweredAsync(relayed, 200);
    }

    [Test]
    [Category(FullRun.Only)]
    public async Task Of_500_who_read_before_Redis_is_there_for_the_first_time_all_are_answered_as_soon_as_it_is([Values] bool factory)
    {
        ConnectionMultiplexer.SetFeatureFlag(Flag, false);
        await using var relayed = await RelayedApp.StartAsync(
            kind,
            options => options.ConnectionMultiplexerFactory = factory ? () => ConnectAsync(options.Configuration!) : null,
            isDown: true);
        await AnsweredAsync(relayed, 500);
    }

    [Test]
    [Category(FullRun.Only)]
    public async Task Of_the_pool_nothing_is_changed_for_good()
    {
        await Until.TrueAsync("others have given back what they had", () => LeastThreads() <= Environment.ProcessorCount + 1);
        int before = LeastThreads();
        await using var relayed = await RelayedApp.StartAsync(kind);
        relayed.Relay.Down();
        await Until.TrueAsync("there are more", () => LeastThreads() > before);
        relayed.Relay.Up();
        await Until.TrueAsync("there are as many as before", () => LeastThreads() == before);
    }

    /// <summary>As soon as its server is there; by default it could take longer than anybody waits.</summary>
    private static async Task<IConnectionMultiplexer> ConnectAsync(string address)
    {
        var options = ConfigurationOptions.Parse(address);
        (options.AbortOnConnectFail, options.ReconnectRetryPolicy) = (false, new LinearRetry(250));
        return await ConnectionMultiplexer.ConnectAsync(options);
    }

    private static int LeastThreads()
    {
        ThreadPool.GetMinThreads(out int workers, out _);
        return workers;
    }

    private static async Task AnsweredAsync(RelayedApp relayed, int count)
    {
        var visits = Enumerable.Range(0, count).Select(async _ =>
        {
            using var response = await relayed.Browser.SendAsync(context => Task.FromResult(context.Session.GetString("key")));
            return response.IsSuccessStatusCode;
        }).ToList();
        await Task.Delay(TimeSpan.FromSeconds(3));
        Assert.That(visits.Count(visit => visit.IsCompleted), Is.Zero);
        var clock = Stopwatch.StartNew();
        relayed.Relay.Up();
        bool[] answers = await Task.WhenAll(visits);
        var errors = relayed.App.Logs.Of(SessionEvents.ReadFailed).Take(1).Select(entry => entry.Error);
        Assert.That(answers, Is.All.True, string.Join('\n', errors));
        TestContext.Out.WriteLine($"{count} were answered after {clock.Elapsed}.");
        Assert.That(clock.Elapsed, Is.LessThan(Soon));
    }
}
