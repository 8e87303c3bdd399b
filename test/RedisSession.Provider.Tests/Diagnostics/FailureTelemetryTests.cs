using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>Spans and metrics of operations that fail, as OpenTelemetry's SDK reads them. Each test owns its server.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable]
internal sealed class FailureTelemetryTests(ServerKind kind)
{
    private const string ConnectionError = "StackExchange.Redis.RedisConnectionException";

    [Test]
    public async Task A_killed_server_is_an_error_with_the_type_of_the_exception([Values] bool synchronous, [Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await own.KillServerAsync();
        using var recorded = RecordedSpans.Start();
        await own.Browser.VisitAsync(async context =>
        {
            var request = Activity.Current;
            if (synchronous) Assert.That(context.Session.GetString("key"), Is.Null);
            else Assert.That(async () => await context.Session.GetStrAsync("key"), Throws.InstanceOf<RedisException>());
            Assert.That(Activity.Current, Is.SameAs(request));
        });

        var span = recorded.Stop().Single();
        Assert.That(span.Status, Is.EqualTo(ActivityStatusCode.Error));
        Assert.That(span.StatusDescription, Is.Null, "Redis's messages may repeat what was sent");
        Assert.That(TagsOf(span), Is.EqualTo((ConnectionError, (string?)null, "failed")));
    }

    [Test]
    public async Task A_reply_that_is_an_error_gives_its_code([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        string id = await own.Browser.VisitAsync(session => session.Id);
        await own.Server.AskAsync("SET", $"sessions:{id}", "no hash", "EX", "300");
        using var recorded = RecordedSpans.Start();
        await ReadThrowsAsync<RedisServerException>(own.Browser);

        var span = recorded.Stop().Single();
        Assert.That(span.Status, Is.EqualTo(ActivityStatusCode.Error));
        Assert.That(TagsOf(span), Is.EqualTo(("WRONGTYPE", "WRONGTYPE", "failed")));
    }

    [Test]
    public async Task A_script_that_a_server_has_forgotten_is_no_error([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await own.Server.AskAsync("SCRIPT", "FLUSH");
        using var recorded = RecordedSpans.Start();
        await own.Browser.VisitAsync(session => session.SetString("key", "2"));
        Assert.That(TagsOf(recorded.Stop().Single()), Is.EqualTo(((string?)null, (string?)null, "ok")));
    }

    [Test]
    public async Task A_read_from_a_killed_server_fails_with_a_type(
        [Values("asynchronous", "synchronous", "load")] string way, [Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        using var metrics = new RecordedMetrics();
        await own.KillServerAsync();
        await own.Browser.VisitAsync(async context =>
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
        await using var own = await StartAsync(mode, serverArguments: ["--maxmemory-policy", "noeviction"]);
        await own.Server.AskAsync("CONFIG", "SET", "maxmemory", "1");
        using var metrics = new RecordedMetrics();
        await own.Browser.VisitAsync(session => session.SetString("key", "2"));
        Assert.That((metrics.Failures("write", "OOM"), metrics.Operations("write", "failed")), Is.EqualTo((1L, 1L)));
        Assert.That(metrics.Sum(SessionMetrics.Io), Is.Zero, "nothing was written");
    }

    [Test]
    public async Task A_timeout_is_a_failure_and_a_caller_who_cancels_is_none([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode, options => options.IOTimeout = TimeSpan.FromMilliseconds(500));
        using var metrics = new RecordedMetrics();
        own.Server.Pause();
        await own.Browser.VisitAsync(async context =>
        {
            using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
            await Assert.CatchAsync<OperationCanceledException>(async () => await context.Session.GetStrAsync("key", impatient.Token));
        });
        Assert.That((metrics.Operations("read", "cancelled"), metrics.Sum(SessionMetrics.Failures)), Is.EqualTo((1L, 0L)));

        await ReadThrowsAsync<OperationCanceledException>(own.Browser);
        own.Server.Resume();
        Assert.That(metrics.Failures("read", "System.TimeoutException"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_renewal_of_the_expiry_that_fails_is_counted_though_nobody_waits_for_it([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode, options => options.RefreshInterval = TimeSpan.Zero);
        using var metrics = new RecordedMetrics();
        await own.KillServerAsync();
        await own.Browser.VisitAsync(_ => { });
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
        await ReadThrowsAsync<RedisException>(browser);
        await browser.VisitAsync(session => Assert.That(session.GetString("key"), Is.Null));
        Assert.That((metrics.Failures("connect", ConnectionError), metrics.Operations("connect", "failed")), Is.EqualTo((2L, 2L)));
    }

    [Test]
    public async Task What_the_client_refuses_to_send_is_a_failure_like_any_other([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode, options =>
        {
            options.ConfigurationOptions = ConfigurationOptions.Parse(options.Configuration!);
            options.ConfigurationOptions.CommandMap = CommandMap.Create(["HMGET", "HGETALL"], available: false);
        });
        using var metrics = new RecordedMetrics();
        await own.Browser.VisitAsync(async context =>
        {
            Assert.That(async () => await context.Session.GetStrAsync("key"), Throws.InstanceOf<RedisCommandException>());
            Assert.That(context.Session.IsAvailable, Is.False, "the failure is remembered");
        });
        await own.Browser.VisitAsync(session => Assert.That(session.GetString("key"), Is.Null));
        Assert.That(metrics.Sum(SessionMetrics.Failures, ("error.type", typeof(RedisCommandException).FullName!)), Is.EqualTo(2));
        Assert.That(own.App.Logs.Of(SessionEvents.ReadFailed), Has.Count.EqualTo(2));
    }

    private Task<OwnServerApp> StartAsync(
        RedisSessionMode mode, Action<RedisHashSessionOptions>? configure = null, params string[] serverArguments)
    {
        return OwnServerApp.StartAsync(kind, Configure, serverArguments: serverArguments);

        void Configure(RedisHashSessionOptions options)
        {
            options.Mode = mode;
            configure?.Invoke(options);
        }
    }

    private static (object? Error, object? Code, object? Outcome) TagsOf(Activity span) =>
        (span.GetTagItem("error.type"), span.GetTagItem("db.response.status_code"), span.GetTagItem("redis_session.outcome"));

    private static Task ReadThrowsAsync<TException>(Browser browser)
        where TException : Exception =>
        browser.VisitAsync(context => Assert.ThatAsync(() => context.Session.GetStrAsync("key").AsTask(), Throws.InstanceOf<TException>()));
}
