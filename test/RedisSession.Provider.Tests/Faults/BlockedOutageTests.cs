using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Many threads that wait for Redis while it is away: to come back it needs threads itself. Nothing runs beside it, because it takes the whole
/// pool. Half a minute is what a pool needs that has to grow by itself.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable]
[Category(FullRun.Only)]
internal sealed class BlockedOutageTests(ServerKind kind)
{
    private const string Flag = "DedicatedThreads";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10); // a second, on a machine that has nothing else to do

    [TearDown]
    public void SetFlag() => ConnectionMultiplexer.SetFeatureFlag(Flag, true);

    [Test]
    public async Task Of_200_who_read_in_a_short_outage_all_are_answered_as_soon_as_it_is_over([Values] RedisSessionMode mode)
    {
        await using var relay = await RelayAsync();
        await using var app = await StartAsync(options => (options.Configuration, options.Mode) = (relay.Address, mode));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        relay.Down();
        await AnsweredAsync(app, browser, relay, 200);
    }

    [Test]
    public async Task Of_500_who_read_before_Redis_is_there_for_the_first_time_all_are_answered_as_soon_as_it_is([Values] bool factory)
    {
        await using var relay = await RelayAsync();
        relay.Down();
        ConnectionMultiplexer.SetFeatureFlag(Flag, false);
        await using var app = await StartAsync(options =>
        {
            if (!factory) options.Configuration = relay.Address;
            else options.ConnectionMultiplexerFactory = () => ConnectAsync(relay.Address);
        });
        using var browser = app.NewBrowser();
        await AnsweredAsync(app, browser, relay, 500);
    }

    [Test]
    public async Task Of_the_pool_nothing_is_changed_for_good()
    {
        await Until.TrueAsync("others have given back what they had", () => Task.FromResult(LeastThreads() <= Environment.ProcessorCount + 1));
        int before = LeastThreads();
        await using var relay = await RelayAsync();
        await using var app = await StartAsync(options => options.Configuration = relay.Address);
        relay.Down();
        await Until.TrueAsync("there are more", () => Task.FromResult(LeastThreads() > before));
        relay.Up();
        await Until.TrueAsync("there are as many as before", () => Task.FromResult(LeastThreads() == before));
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

    private static async Task AnsweredAsync(TestApp app, Browser browser, Relay relay, int count)
    {
        var visits = Enumerable.Range(0, count).Select(async _ =>
        {
            using var response = await browser.SendAsync(context =>
            {
                context.Session.GetString("key");
                return Task.CompletedTask;
            });
            return response.IsSuccessStatusCode;
        }).ToList();
        await Task.Delay(TimeSpan.FromSeconds(3));
        Assert.That(visits.Count(visit => visit.IsCompleted), Is.Zero);
        var clock = Stopwatch.StartNew();
        relay.Up();
        bool[] answers = await Task.WhenAll(visits);
        Assert.That(answers.Count(isAnswered => !isAnswered), Is.Zero, $"{string.Join('\n', app.Logs.Of(SessionEvents.ReadFailed).Take(1).Select(entry => entry.Error))}");
        TestContext.Out.WriteLine($"{count} were answered after {clock.Elapsed}.");
        Assert.That(clock.Elapsed, Is.LessThan(Soon));
    }

    private async Task<Relay> RelayAsync() => new((await TestServers.GetAsync(kind)).ConfigurationString);

    private static async Task<TestApp> StartAsync(Action<RedisHashSessionOptions> configure) =>
        await TestApp.StartAsync(services => services.AddRedisHashSession(options =>
        {
            (options.KeyPrefix, options.FailureMode) = (SessionStack.NewKeyPrefix(), FailureMode.Throw);
            options.OutageTolerance = TimeSpan.FromMinutes(1);
            configure(options);
        }));
}
