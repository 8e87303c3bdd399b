using System.Diagnostics;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Servers that are connected and say "not now": one that was restarted and still loads its data, one whose cluster is down, one that moves
/// the keys. That is an outage like any other, and nothing was run, so that anything may be sent again.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class NotReadyTests(ServerKind kind)
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    [Test]
    public async Task While_a_restarted_server_loads_its_data_requests_wait(
        [Values] RedisSessionMode mode, [Values] FailureMode failureMode, [Values] bool awaits)
    {
        await using var own = await StartAsync(
            options => (options.Mode, options.FailureMode, options.OutageTolerance) = (mode, failureMode, Long));
        await own.Server.RestartLoadingAsync();
        var visits = WaitingVisits(own.App, own.Browser, awaits);
        await UntilRefusedAsync(own.Server, "evalsha");
        Assert.That(visits.Where(visit => visit.IsCompleted), Is.Empty);

        await own.Server.FinishLoadingAsync();
        await Task.WhenAll(visits);
        await AreServedAsync(own.App, own.Browser);
    }

    [Test]
    public async Task A_server_that_loads_for_long_costs_no_request_more_than_a_longer_outage([Values] bool awaits)
    {
        var tolerance = TimeSpan.FromSeconds(1);
        await using var own = await StartAsync(options => (options.FailureMode, options.OutageTolerance) = (FailureMode.Throw, tolerance));
        var multiplexer = (await own.App.RedisAsync()).Multiplexer;
        var outage = Stopwatch.StartNew();
        await own.Server.RestartLoadingAsync();
        await UntilConnectedAsync(multiplexer);
        Assert.That(await FailsAsync(), Is.True);
        Assert.That(outage.Elapsed, Is.GreaterThanOrEqualTo(tolerance - TimeSpan.FromMilliseconds(50)));

        var least = TimeSpan.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            await UntilConnectedAsync(multiplexer);
            var clock = Stopwatch.StartNew();
            Assert.That(await FailsAsync(), Is.True);
            if (clock.Elapsed < least) least = clock.Elapsed;
        }

        Assert.That(least, Is.LessThan(tolerance / 2), "from then on requests fail at once");
        await own.Server.FinishLoadingAsync();
        await Until.TrueAsync("it is served", async () => !await FailsAsync());

        async Task<bool> FailsAsync()
        {
            return !await own.Browser.VisitAsync(context => Attempt.IsDoneAsync<RedisConnectionException>(async () =>
            {
                if (awaits) await context.Session.GetStrAsync("key");
                else context.Session.GetString("key");
            }));
        }
    }

    [Test]
    public async Task The_cache_waits_too([Values] bool awaits)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        string configuration = server.ConfigurationString + ",syncTimeout=60000";
        await using var services = new ServiceCollection().AddLogging().AddRedisHashCache(
            options => (options.Configuration, options.OutageTolerance) = (configuration, Long)).BuildServiceProvider();
        var cache = services.GetRequiredService<IDistributedCache>();
        var tenMinutes = new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(10) };
        await cache.SetAsync("key", [1], tenMinutes);
        await server.RestartLoadingAsync();
        var small = Task.Run(() => SetAsync("small", new byte[10]));
        var large = Task.Run(() => SetAsync("large", new byte[10_000]));
        var read = Task.Run(async () => awaits ? await cache.GetAsync("key") : cache.Get("key"));
        await UntilRefusedAsync(server, "evalsha");
        Assert.That(small.IsCompleted || large.IsCompleted || read.IsCompleted, Is.False);

        await server.FinishLoadingAsync();
        Assert.That(await read, Is.EqualTo(new byte[] { 1 }));
        await Task.WhenAll(small, large);
        Assert.That((await cache.GetAsync("large"))!.Length + (await cache.GetAsync("small"))!.Length, Is.EqualTo(10_010));

        async Task SetAsync(string key, byte[] value)
        {
            if (awaits) await cache.SetAsync(key, value, tenMinutes);
            else cache.Set(key, value, tenMinutes);
        }
    }

    [Test]
    public async Task The_health_check_does_not_wait_for_a_server_that_loads()
    {
        await using var own = await StartAsync(options => options.OutageTolerance = Long);
        await own.Server.RestartLoadingAsync();
        var check = new SessionHealthCheck(
            own.App.Services.GetRequiredService<RedisConnection>(),
            own.App.Services.GetRequiredService<IOptions<RedisHashSessionOptions>>(),
            hasHandlers: false);
        var registration = new HealthCheckRegistration("sessions", check, failureStatus: null, tags: null) { Timeout = Long };
        await UntilConnectedAsync((await own.App.RedisAsync()).Multiplexer);
        var result = await check.CheckHealthAsync(new() { Registration = registration }).WaitAsync(Long / 2);
        Assert.That(result.Status, Is.EqualTo(HealthStatus.Unhealthy), result.Description);
    }

    [Test]
    public async Task While_its_cluster_is_down_requests_wait([Values] bool awaits)
    {
        await using var cluster = await RedisCluster.StartAsync(kind, hasReplicas: false);
        await using var app = await TestApp.StartAsync(
            cluster.ConfigurationString, options => (options.FailureMode, options.OutageTolerance) = (FailureMode.Throw, Long));
        using var browser = app.NewBrowser();
        string key = "sessions:" + await browser.SetStringAsync();
        var primary = await cluster.PrimaryOfAsync(key);
        var bringUpAsync = await cluster.BringDownAsync(key);
        var visits = WaitingVisits(app, browser, awaits);
        await UntilRefusedAsync(primary, "evalsha");
        Assert.That(visits.Where(visit => visit.IsCompleted), Is.Empty);

        await bringUpAsync();
        await Task.WhenAll(visits);
        await AreServedAsync(app, browser);
    }

    [Test]
    public async Task A_script_whose_keys_are_being_moved_waits_until_they_are_in_one_place()
    {
        await using var cluster = await RedisCluster.StartAsync(kind, hasReplicas: false);
        await using var app = await TestApp.StartAsync(cluster.ConfigurationString, options =>
            (options.KeyPrefix, options.FailureMode, options.OutageTolerance) = ("{app}:", FailureMode.Throw, Long));
        using var browser = app.NewBrowser();
        string key = "{app}:sessions:" + await browser.SetStringAsync();
        var primary = await cluster.PrimaryOfAsync(key);
        var callOffAsync = await cluster.BeginToMoveSlotAsync(key);
        var renewal = browser.RenewAsync();
        await Until.TrueAsync("it is refused", async () => renewal.IsCompleted
            || (await primary.AskAsync("INFO", "errorstats")).Line("errorstat_TRYAGAIN") is not null);
        Assert.That(renewal.IsCompleted, Is.False);

        await callOffAsync();
        await renewal;
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("1"));
    }

    private static List<Task> WaitingVisits(TestApp app, Browser browser, bool awaits) =>
    [
        browser.VisitAsync(async context =>
        {
            string? value = awaits ? await context.Session.GetStrAsync("key") : context.Session.GetString("key");
            if (awaits) await context.Session.SetValueAsync("seen", value!);
            else context.Session.SetString("seen", value!);
        }),
        browser.At(app).VisitAsync(context => context.Session.IncrementAsync("count")), // which no lost connection lets be sent again
    ];

    private static async Task AreServedAsync(TestApp app, Browser browser)
    {
        Assert.That(await browser.ContentAsync(), Is.EqualTo("count=1 key=1 seen=1"));
        Assert.That(app.Logs.Of(SessionEvents.ReadFailed).Concat(app.Logs.Of(SessionEvents.WriteFailed)), Is.Empty);
    }

    private static Task UntilConnectedAsync(IConnectionMultiplexer multiplexer) =>
        Until.TrueAsync("it is connected", () => multiplexer.IsConnected);

    /// <summary>Returns when the server has refused to run a command.</summary>
    private static Task UntilRefusedAsync(ServerProcess server, string command) => Until.TrueAsync($"{command} is refused", async () =>
        (await server.AskAsync("INFO", "commandstats")).Line($"cmdstat_{command}") is { } statistics
        && !statistics.Contains("rejected_calls=0", StringComparison.Ordinal));

    private Task<OwnServerApp> StartAsync(Action<RedisHashSessionOptions> configure) => OwnServerApp.StartAsync(kind, configure);
}
