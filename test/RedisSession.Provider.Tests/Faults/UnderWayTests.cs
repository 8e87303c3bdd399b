namespace RedisSession.Provider.Tests;

/// <summary>
/// Writes on a server that takes its time, or fails: the response waits for those that the application does not wait for, and a commit
/// tries once more, in the same request, what has failed.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class UnderWayTests(ServerKind kind)
{
    [Test]
    public async Task A_response_does_not_start_before_an_asynchronous_write_is_confirmed(
        [Values("not awaited", "cancelled")] string way, [Values] RedisSessionMode mode)
    {
        await using var own = await StartThrowingAsync(mode);
        await own.Browser.VisitAsync(async context =>
        {
            Task start;
            using (own.Server.Paused())
            {
                await LeaveUnderWayAsync(context.Session, way);
                start = context.Response.StartAsync();
                Assert.That(await Task.WhenAny(start, Task.Delay(200)), Is.Not.SameAs(start));
            }

            await start;
        });
        Assert.That(await own.Browser.GetStringAsync("key"), Is.EqualTo("new"));
    }

    /// <summary>Who cancels has been told that the wait is over, and not that the write has failed.</summary>
    [Test]
    public async Task A_write_that_fails_while_nobody_waits_for_it_is_a_500(
        [Values("not awaited", "cancelled", "cancelled commit")] string way, [Values] RedisSessionMode mode)
    {
        await using var own = await StartThrowingAsync(mode);
        await own.Server.AskAsync("SET", own.SessionKey, "no hash", "EX", "300");
        using var response = await own.Browser.SendAsync(async context =>
        {
            Task start;
            using (own.Server.Paused())
            {
                await LeaveUnderWayAsync(context.Session, way);
                start = context.Response.WriteAsync("all is well");
            }

            await start;
        });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
    }

    /// <summary>Those who write a body take a cancellation for a visitor who has left, and say nothing.</summary>
    [Test]
    public async Task A_write_that_timed_out_is_a_500_however_the_body_is_written(
        [Values("JSON", "a JSON result", "JSON of a sequence", "a file", "text")] string way, [Values] Pipeline pipeline)
    {
        await using var own = await OwnServerApp.StartAsync(
            kind,
            options => (options.FailureMode, options.IOTimeout) = (FailureMode.Throw, TimeSpan.FromMilliseconds(500)),
            app => app.UseExceptionHandler(page => page.Run(context => context.Response.WriteAsync("sorry"))).Use(pipeline));
        using var paused = own.Server.Paused();
        var (status, page) = await own.Browser.PageAsync("/", context =>
        {
            context.Session.SetString("key", "new");
            return way switch
            {
                "JSON" => context.Response.WriteAsJsonAsync(new { saved = true }),
                "a JSON result" => Results.Ok(new { saved = true }).ExecuteAsync(context),
                "JSON of a sequence" => Results.Json(new[] { 1, 2 }.ToAsyncEnumerable()).ExecuteAsync(context),
                "a file" => Results.File(new MemoryStream("saved"u8.ToArray()), "text/plain").ExecuteAsync(context),
                _ => context.Response.WriteAsync("saved"),
            };
        });
        Assert.That((status, page), Is.EqualTo((HttpStatusCode.InternalServerError, "sorry")));
    }

    [Test]
    public async Task A_commit_works_after_a_read_that_timed_out([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await own.Browser.VisitAsync(async context =>
        {
            await TimesOutAsync(own, () => context.Session.LoadAsync());
            context.Session.SetString("key", "new");
            await context.Session.CommitAsync();
        });
        Assert.That(await own.Browser.GetStringAsync("key"), Is.EqualTo("new"));
    }

    // The first may have been applied all the same: applying it twice does no harm.
    [Test]
    public async Task A_commit_works_after_one_that_timed_out([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await own.Browser.VisitAsync(async context =>
        {
            await SetAndCommitAsync(context.Session, "1");
            await TimesOutAsync(own, () => SetAndCommitAsync(context.Session, "2"));
            await SetAndCommitAsync(context.Session, "3");
            Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("3"));
        });
        Assert.That(await own.Browser.GetStringAsync("key"), Is.EqualTo("3"));
    }

    [Test]
    public async Task A_commit_waits_for_one_that_timed_out_and_is_still_under_way([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode, ioTimeout: TimeSpan.FromSeconds(1));
        await own.Browser.VisitAsync(async context =>
        {
            Task again;
            using (own.Server.Paused())
            {
                Assert.That(() => SetAndCommitAsync(context.Session, "new"), Throws.InstanceOf<OperationCanceledException>());
                again = context.Session.CommitAsync();
                Assert.That(again.IsCompleted, Is.False);
            }

            await again;
        });
        Assert.That(await own.Browser.GetStringAsync("key"), Is.EqualTo("new"));
    }

    [Test]
    public async Task Of_several_writes_that_failed_all_are_written_and_the_newest_value_wins([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await own.Browser.VisitAsync(async context =>
        {
            await own.KillServerAsync();
            foreach (string value in (string[])["1", "2"])
            {
                byte[] bytes = Encoding.UTF8.GetBytes(value);
                var values = new Dictionary<string, byte[]> { ["key"] = bytes, [$"with {value}"] = bytes };
                Assert.That(async () => await context.Session.SetAsync(values), Throws.InstanceOf<RedisException>());
            }

            context.Session.SetString("other", "3");
            await own.Server.RestartAsync();
            await UntilAnswersAsync(own);
            await context.Session.CommitAsync();
        });
        Assert.That(await own.Browser.ContentAsync(), Is.EqualTo("key=2 other=3 with 1=1 with 2=2"));
    }

    private static Task SetAndCommitAsync(ISession session, string value, CancellationToken cancellationToken = default)
    {
        session.SetString("key", value);
        return session.CommitAsync(cancellationToken);
    }

    private static async Task LeaveUnderWayAsync(ISession session, string way)
    {
        using var impatient = new CancellationTokenSource();
        var token = way == "not awaited" ? CancellationToken.None : impatient.Token;
        var write = way == "cancelled commit" ? SetAndCommitAsync(session, "new", token) : session.SetAsync("key", "new"u8.ToArray(), token);
        if (way == "not awaited") return;
        await impatient.CancelAsync();
        Assert.That(async () => await write, Throws.InstanceOf<OperationCanceledException>());
    }

    private static async Task TimesOutAsync(OwnServerApp own, Func<Task> call)
    {
        using (own.Server.Paused()) await Assert.ThatAsync(call, Throws.InstanceOf<OperationCanceledException>());
        await UntilAnswersAsync(own);
    }

    /// <summary>Returns when the application's connection works: from then on a commit has no excuse.</summary>
    private static async Task UntilAnswersAsync(OwnServerApp own)
    {
        using var twin = own.Browser.Twin();
        await twin.UntilServedAsync(context => context.Session.LoadAsync());
    }

    private Task<OwnServerApp> StartAsync(RedisSessionMode mode, TimeSpan? ioTimeout = null) => OwnServerApp.StartAsync(
        kind, options => (options.Mode, options.IOTimeout) = (mode, ioTimeout ?? TimeSpan.FromMilliseconds(500)));

    private Task<OwnServerApp> StartThrowingAsync(RedisSessionMode mode) =>
        OwnServerApp.StartAsync(kind, options => (options.Mode, options.FailureMode) = (mode, FailureMode.Throw));
}
