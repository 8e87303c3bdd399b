using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>What an application sees while Redis is away, and that it recovers by itself. Each test owns its server.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class OutageTests(ServerKind kind)
{
    [Test]
    public async Task Synchronous_reads_find_nothing_and_one_failure_is_logged([Values] RedisSessionMode mode)
    {
        await using var own = await StartAndKillServerAsync(mode, FailureMode.LogAndContinue);
        int before = own.App.Logs.Of(SessionEvents.ReadFailed).Count;
        await own.Browser.VisitAsync(session =>
        {
            for (int i = 0; i < 10; i++) Assert.That(session.GetString("key"), Is.Null);
            Assert.That(session.IsAvailable, Is.False);
            Assert.That(session.Keys, Is.Empty);
        });
        Assert.That(own.App.Logs.Of(SessionEvents.ReadFailed), Has.Count.EqualTo(before + 1));
    }

    [Test]
    public async Task Synchronous_reads_throw_with_FailureMode_Throw([Values] RedisSessionMode mode)
    {
        await using var own = await StartAndKillServerAsync(mode, FailureMode.Throw);
        await own.Browser.VisitAsync(session =>
        {
            Assert.That(() => session.GetString("key"), Throws.InstanceOf<RedisException>());
            Assert.That(() => session.Keys, Throws.InstanceOf<RedisException>());
            Assert.That(session.IsAvailable, Is.False);
        });
    }

    [Test]
    public async Task Asynchronous_members_and_LoadAsync_throw_in_both_failure_modes([Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        await using var own = await StartAndKillServerAsync(mode, failureMode);
        await own.Browser.VisitAsync(session =>
        {
            Assert.That(async () => await session.LoadAsync(), Throws.InstanceOf<RedisException>());
            Assert.That(async () => await session.GetIntAsync("key"), Throws.InstanceOf<RedisException>());
            Assert.That(async () => await session.ReadAsync(["key"]), Throws.InstanceOf<RedisException>());
            Assert.That(async () => await session.SetAsync("key", [1]), Throws.InstanceOf<RedisException>());
            Assert.That(async () => await session.RemoveAsync("key"), Throws.InstanceOf<RedisException>());
            Assert.That(async () => await session.ReloadAsync(), Throws.InstanceOf<RedisException>());
        });
    }

    [Test]
    public async Task A_write_is_an_error_500_or_lost_with_a_log_entry_as_the_failure_mode_says(
        [Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        await using var own = await StartAndKillServerAsync(mode, failureMode);
        await CheckFailedWriteAsync(own, failureMode);
        Assert.That(own.App.Logs.Of(SessionEvents.ReadFailed).Concat(own.App.Logs.Of(SessionEvents.WriteFailed)), Is.Not.Empty);
    }

    [Test]
    public async Task A_write_that_the_client_cannot_even_send_is_a_failed_write([Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        await using var own = await OwnServerApp.StartAsync(kind, server => TestApp.StartAsync(
            $"redis://{server.ConfigurationString}/99", options => (options.Mode, options.FailureMode) = (mode, failureMode)));
        await CheckFailedWriteAsync(own, failureMode);
        Assert.That(own.App.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Service_resumes_by_itself_when_the_server_is_back([Values] RedisSessionMode mode)
    {
        await using var own = await StartAndKillServerAsync(mode, FailureMode.Throw);
        await own.Server.RestartAsync();
        await CheckServedAgainAsync(own);
    }

    [Test]
    public async Task An_application_whose_server_is_down_starts_and_recovers()
    {
        await using var own = await OwnServerApp.StartAsync(kind, server =>
        {
            server.Kill();
            return TestApp.StartAsync(server.ConfigurationString);
        });
        await own.Browser.VisitAsync(context => context.Response.WriteAsync(context.Session.GetStr("key")));
        await own.Server.RestartAsync();
        await CheckServedAgainAsync(own);
    }

    [Test]
    public async Task A_server_that_does_not_answer_is_waited_for_no_longer_than_the_IOTimeout([Values] RedisSessionMode mode)
    {
        var wait = TimeSpan.FromMilliseconds(300);
        await using var own = await StartAsync(mode, FailureMode.LogAndContinue, wait);
        using (own.Server.Paused())
        {
            await own.Browser.VisitAsync(async context =>
            {
                var error = await Assert.CatchAsync<OperationCanceledException>(async () => await context.Session.GetIntAsync("key"));
                Assert.That(error!.InnerException, Is.InstanceOf<TimeoutException>());

                // The first failure is remembered: nothing in this request waits again.
                var clock = Stopwatch.StartNew();
                for (int i = 0; i < 100; i++) Assert.That(context.Session.GetString("key"), Is.Null);
                Assert.That(async () => await context.Session.LoadAsync(), Throws.InstanceOf<OperationCanceledException>());
                Assert.That(clock.Elapsed, Is.LessThan(wait));
            });
            await own.Browser.VisitAsync(session =>
            {
                Assert.That(session.GetString("key"), Is.Null);
                Assert.That(session.IsAvailable, Is.False);
            });
            Assert.That(own.App.Logs.Of(SessionEvents.TimedOut), Is.Not.Empty);
        }

        await CheckServedAgainAsync(own);
    }

    [Test]
    public async Task A_caller_who_cancels_is_told_so_and_nothing_is_remembered_as_a_failure()
    {
        await using var own = await StartAsync(RedisSessionMode.Buffered, FailureMode.Throw);
        await own.Browser.VisitAsync(async context =>
        {
            using (own.Server.Paused())
            {
                using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
                var error = await Assert.CatchAsync<OperationCanceledException>(
                    async () => await context.Session.GetIntAsync("key", impatient.Token));
                Assert.That(error!.CancellationToken, Is.EqualTo(impatient.Token));
            }

            Assert.That(await context.Session.GetIntAsync("key"), Is.EqualTo(1));
        });
        Assert.That(own.App.Logs.Of(SessionEvents.ReadFailed).Concat(own.App.Logs.Of(SessionEvents.TimedOut)), Is.Empty);
    }

    [Test]
    public async Task UseRedisHashSession_goes_on_or_throws_as_the_failure_mode_says([Values] FailureMode failureMode)
    {
        await using var own = await OwnServerApp.StartAsync(
            kind, options => options.FailureMode = failureMode, app => app.UseRedisHashSession(loadAhead: true));
        await own.KillServerAsync();
        using var response = await own.Browser.SendAsync(context => context.Response.WriteAsync(context.Session.IsAvailable.ToString()));
        Assert.That(response.StatusCode, Is.EqualTo(StatusOf(failureMode)));
        if (failureMode != FailureMode.Throw) Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("False"));
    }

    [Test]
    public async Task An_outage_costs_a_request_one_failure_and_its_error_page_is_shown(
        [Values] FailureMode failureMode, [Values(Pipeline.UseSession, Pipeline.UseRedisHashSessionLoadingAhead)] Pipeline pipeline)
    {
        var wait = TimeSpan.FromSeconds(2);
        await using var own = await OwnServerApp.StartAsync(
            kind,
            options => (options.FailureMode, options.IOTimeout) = (failureMode, wait),
            app => app.UseExceptionHandler("/page").Use(pipeline)
                .Use(next => context => context.Request.Path == "/page" ? context.Response.WriteAsync("sorry") : next(context)));
        using var paused = own.Server.Paused();
        var clock = Stopwatch.StartNew();
        using var response = await own.Browser.SendAsync(context => context.Response.WriteAsync($"read {context.Session.GetString("key")}"));
        Assert.That(clock.Elapsed, Is.LessThan(1.8 * wait));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(failureMode == FailureMode.Throw ? "sorry" : "read "));
        Assert.That(own.App.Logs.Of(SessionEvents.ReadFailed), Has.Count.EqualTo(1));
    }

    private static async Task CheckFailedWriteAsync(OwnServerApp own, FailureMode failureMode)
    {
        using var response = await own.Browser.SendAsync(context =>
        {
            context.Session.SetString("key", "2");
            return context.Response.WriteAsync("done");
        });
        Assert.That(response.StatusCode, Is.EqualTo(StatusOf(failureMode)));
    }

    private static HttpStatusCode StatusOf(FailureMode failureMode) =>
        failureMode == FailureMode.Throw ? HttpStatusCode.InternalServerError : HttpStatusCode.OK;

    private static async Task CheckServedAgainAsync(OwnServerApp own)
    {
        await own.Browser.UntilServedAsync(context => context.Session.SetAsync("key", "back"u8.ToArray()));
        await Until.TrueAsync("it is read", async () => await own.Browser.GetStringAsync("key") == "back"); // nothing, after an IOTimeout
    }

    private async Task<OwnServerApp> StartAndKillServerAsync(RedisSessionMode mode, FailureMode failureMode)
    {
        var own = await StartAsync(mode, failureMode);
        await own.KillServerAsync();
        return own;
    }

    private Task<OwnServerApp> StartAsync(RedisSessionMode mode, FailureMode failureMode, TimeSpan? ioTimeout = null) =>
        OwnServerApp.StartAsync(kind, options =>
        {
            (options.Mode, options.FailureMode) = (mode, failureMode);
            options.IOTimeout = ioTimeout ?? options.IOTimeout;
        });
}
