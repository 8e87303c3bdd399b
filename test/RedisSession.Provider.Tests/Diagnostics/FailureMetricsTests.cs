using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>What OpenTelemetry's SDK reads when something goes wrong. Each test owns its server.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable]
internal sealed class FailureMetricsTests(ServerKind kind)
{
    private const string ConnectionError = "StackExchange.Redis.RedisConnectionException";

    private static readonly string[] Reads = ["asynchronous", "synchronous", "load"];

    [Test]
    public async Task A_read_from_a_killed_server_fails_with_a_type([ValueSource(nameof(Reads))] string way, [Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        using var metrics = new RecordedMetrics();
        server.Kill();
        await app.UntilDisconnectedAsync();
        await browser.VisitAsync(async context =>
        {
            if (way == "synchronous") Assert.That(context.Session.GetString("key"), Is.Null);
            else if (way == "load") Assert.That(async () => await context.Session.LoadAsync(), Throws.InstanceOf<RedisException>());
            else Assert.That(async () => await context.Session.GetStrAsync("key"), Throws.InstanceOf<RedisException>());

            Assert.That(context.Session.GetString("again"), Is.Null); // fails at once, and asks nobody
        });

        string operation = way == "load" || (way == "synchronous" && mode == RedisSessionMode.Buffered) ? "load" : "read";
        Assert.That(metrics.Operations(operation, "failed"), Is.EqualTo(1));
        Assert.That(metrics.Count(SessionMetrics.OperationDuration, ("error.type", ConnectionError)), Is.EqualTo(1));
        Assert.That(metrics.Failures(operation, ConnectionError), Is.EqualTo(1));
        Assert.That(metrics.Sum(SessionMetrics.Failures), Is.EqualTo(1));
    }

    [Test]
    public async Task A_write_that_Redis_refuses_fails_with_the_code_of_its_reply([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind, "--maxmemory-policy", "noeviction");
        await using var app = await StartAsync(server, mode);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString + ",allowAdmin=true");
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        await admin.GetServers().Single().ConfigSetAsync("maxmemory", "1");
        using var metrics = new RecordedMetrics();
        await browser.VisitAsync(session => session.SetString("key", "2"));
        Assert.That(metrics.Failures("write", "OOM"), Is.EqualTo(1));
        Assert.That(metrics.Operations("write", "failed"), Is.EqualTo(1));
        Assert.That(metrics.Sum(SessionMetrics.Io), Is.Zero, "nothing was written");
    }

    [Test]
    public async Task A_timeout_is_a_failure_and_a_caller_who_cancels_is_none([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode, options => options.IOTimeout = TimeSpan.FromMilliseconds(500));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        using var metrics = new RecordedMetrics();
        server.Pause();
        await browser.VisitAsync(async context =>
        {
            using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
            await Assert.CatchAsync<OperationCanceledException>(async () => await context.Session.GetStrAsync("key", impatient.Token));
        });
        Assert.That(metrics.Operations("read", "cancelled"), Is.EqualTo(1));
        Assert.That(metrics.Sum(SessionMetrics.Failures), Is.Zero);

        await browser.VisitAsync(async context =>
        {
            await Assert.CatchAsync<OperationCanceledException>(async () => await context.Session.GetStrAsync("key"));
        });
        server.Resume();
        Assert.That(metrics.Failures("read", "System.TimeoutException"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_renewal_of_the_expiry_that_fails_is_counted_though_nobody_waits_for_it([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode, options =>
            options.RefreshInterval = TimeSpan.Zero);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        using var metrics = new RecordedMetrics();
        server.Kill();
        await app.UntilDisconnectedAsync();
        await browser.VisitAsync(_ => { });
        await Until.TrueAsync("the failure is counted", () => Task.FromResult(metrics.Failures("renew_expiry", ConnectionError) == 1));
        Assert.That(metrics.Points(SessionMetrics.OperationDuration), Is.Empty);
    }

    [Test]
    public async Task A_connection_that_cannot_be_made_is_a_failure_to_connect([Values] RedisSessionMode mode)
    {
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(options =>
        {
            options.Mode = mode;
            options.ConnectionMultiplexerFactory = () => Task.FromException<IConnectionMultiplexer>(SessionWithoutRedis.Error);
        }));
        using var browser = app.NewBrowser();
        using var metrics = new RecordedMetrics();
        await browser.VisitAsync(async context =>
        {
            Assert.That(async () => await context.Session.GetStrAsync("key"), Throws.InstanceOf<RedisException>());
        });
        await browser.VisitAsync(session => Assert.That(session.GetString("key"), Is.Null));
        Assert.That(metrics.Failures("connect", ConnectionError), Is.EqualTo(2));
        Assert.That(metrics.Operations("connect", "failed"), Is.EqualTo(2));
    }

    [Test]
    public async Task What_the_client_refuses_to_send_is_a_failure_like_any_other([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        var configuration = ConfigurationOptions.Parse(server.ConfigurationString);
        configuration.CommandMap = CommandMap.Create(["HMGET", "HGETALL"], available: false);
        await using var app = await TestApp.StartAsync(services =>
            services.AddRedisHashSession(options => (options.ConfigurationOptions, options.Mode) = (configuration, mode)));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        using var metrics = new RecordedMetrics();
        await browser.VisitAsync(async context =>
        {
            Assert.That(async () => await context.Session.GetStrAsync("key"), Throws.InstanceOf<RedisCommandException>());
            Assert.That(context.Session.IsAvailable, Is.False, "the failure is remembered");
        });
        await browser.VisitAsync(session => Assert.That(session.GetString("key"), Is.Null));
        Assert.That(metrics.Sum(SessionMetrics.Failures, ("error.type", typeof(RedisCommandException).FullName!)), Is.EqualTo(2));
        Assert.That(app.Logs.Of(SessionEvents.ReadFailed), Has.Count.EqualTo(2));
    }

    private static Task<TestApp> StartAsync(
        ServerProcess server, RedisSessionMode mode, Action<RedisHashSessionOptions>? configure = null) =>
        TestApp.StartAsync(server.ConfigurationString, options =>
        {
            (options.Mode, options.OutageTolerance) = (mode, TimeSpan.FromMilliseconds(100));
            configure?.Invoke(options);
        });
}
