namespace RedisSession.Provider.Tests;

/// <summary>A look for what AddSession has left that fails, as any read can. Each test owns its server.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class TakeoverFaultTests(ServerKind kind)
{
    private const string InstanceName = "shop:";

    [Test]
    public async Task Nothing_is_found_and_nothing_is_lost_while_it_cannot_be_looked_for([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode, FailureMode.LogAndContinue, "~app:*"); // and not ~shop:*
        using var browser = await LeaveAsync(own);
        await browser.VisitAsync(session =>
        {
            Assert.That(session.GetString("name"), Is.Null);
            Assert.That(session.IsAvailable, Is.False);
            Assert.That(async () => await session.GetStrAsync("name"), Throws.InstanceOf<RedisException>());
            session.SetString("new", "1"); // nobody may begin a session in the place of one that could not be looked for
        });
        await browser.VisitAsync(session => session.SetString("new", "1"));
        await browser.VisitAsync(session =>
        {
            Assert.That(() => session.IncrementAsync("new"), Throws.InstanceOf<RedisException>());
            Assert.That(() => session.CommitAsync(), Throws.Nothing);
        });
        await browser.VisitAsync(async context =>
        {
            await Assert.ThatAsync(() => context.RenewSessionAsync(), Throws.InstanceOf<RedisException>());
            await Assert.ThatAsync(() => context.AbandonSessionAsync(), Throws.InstanceOf<RedisException>());
        });
        await browser.VisitAsync(_ => { });
        Assert.That(own.App.Logs.Of(SessionEvents.ReadFailed), Has.Count.GreaterThanOrEqualTo(1));
        Assert.That(own.App.Logs.Of(SessionEvents.WriteFailed), Has.Count.GreaterThanOrEqualTo(2));
        await Until.TrueAsync("the untouched one is logged", () => Task.FromResult(own.App.Logs.Of(SessionEvents.RefreshFailed).Count > 0));

        await AllowAsync(own.Server, "~shop:*");
        await TakeoverFixture.CheckKeptAsync(browser);
        Assert.That(await browser.VisitAsync(session => session.GetString("new")), Is.Null);
    }

    [Test]
    public async Task It_throws_with_FailureMode_Throw([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode, FailureMode.Throw, "~app:*");
        using var browser = await LeaveAsync(own);
        await browser.VisitAsync(session =>
        {
            Assert.That(() => session.GetString("name"), Throws.InstanceOf<RedisException>());
            Assert.That(() => session.Keys, Throws.InstanceOf<RedisException>());
        });
        using var response = await browser.SendAsync(context =>
        {
            context.Session.SetString("new", "1");
            return Task.CompletedTask;
        });
        Assert.That((int)response.StatusCode, Is.EqualTo(500));
        await AllowAsync(own.Server, "~shop:*");
        await TakeoverFixture.CheckKeptAsync(browser);
    }

    [Test]
    public async Task A_mark_that_cannot_be_set_does_not_cost_the_session([Values] RedisSessionMode mode)
    {
        if (kind.Version < new Version(7, 0)) return; // rights to read alone begin there
        await using var own = await StartAsync(mode, FailureMode.Throw, "~app:*", "%R~shop:*");
        using var browser = await LeaveAsync(own);
        await TakeoverFixture.CheckKeptAsync(browser);
        Assert.That(own.App.Logs.Of(SessionEvents.StockSessionNotMarked), Has.Count.EqualTo(1));

        // Its old key is dead here all the same; that it may live on elsewhere is logged.
        await browser.VisitAsync(context => context.RenewSessionAsync());
        Assert.That(own.App.Logs.Of(SessionEvents.StockSessionNotMarked), Has.Count.EqualTo(2));
        await TakeoverFixture.CheckKeptAsync(browser);
    }

    /// <summary>Writes that meet a server without the scripts and a session that is to be taken over, both at once.</summary>
    [Test]
    public async Task Writes_under_way_at_a_server_that_has_no_script_yet_are_all_made([Values] RedisSessionMode mode)
    {
        await using var server = await SharedServer.StartAsync(kind);
        await using var old = await TakeoverFixture.StartOldAsync(server.ConfigurationString, InstanceName);
        await using var app = await TestApp.StartAsync(server.ConfigurationString, options =>
        {
            options.Mode = mode;
            options.TakeOverSessions(InstanceName);
        });
        var redis = server.Admin.GetDatabase();
        for (int round = 0; round < 20; round++)
        {
            using var browser = await TakeoverFixture.LeaveAsync(old);
            await redis.ExecuteAsync("SCRIPT", "FLUSH");
            await browser.At(app).VisitAsync(async context =>
            {
                for (int i = 0; i < 10; i++) context.Session.SetInt32($"new{i}", i);
                if (round % 2 == 0) Assert.That(await context.Session.GetStrAsync("name"), Is.EqualTo("Ann"));
                for (int i = 0; i < 10; i++) context.Session.SetInt32("last", i);
            });
            await TakeoverFixture.CheckKeptAsync(browser);
            await browser.VisitAsync(session =>
            {
                Assert.That(Enumerable.Range(0, 10).Select(i => session.GetInt32($"new{i}")), Is.EqualTo(Enumerable.Range(0, 10)));
                Assert.That(session.GetInt32("last"), Is.EqualTo(9));
            });
        }
    }

    /// <summary>The Redis of the sessions does not bring the session key into logs or exceptions either.</summary>
    [Test]
    public async Task The_session_key_is_in_no_failure()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await TestApp.StartAsync(server.ConfigurationString + ",connectTimeout=300", options =>
        {
            options.OutageTolerance = TimeSpan.FromMilliseconds(100);
            options.TakeOverSessions(InstanceName);
        });
        using var browser = await app.NewVisitorAsync(key: "key", value: "1");
        var left = app.Services.GetRequiredService<SessionTakeover>().Stock!;
        server.Kill();
        string secret = Guid.NewGuid().ToString();
        Func<Task>[] calls =
        [
            () => left.FindAsync(secret, Waiting.Asynchronously),
            () => left.FindAsync(secret, Waiting.Blocking(TimeSpan.FromSeconds(30))),
            () => left.MarkAsync(secret, "generation", Waiting.Asynchronously),
            () => left.PassOverAsync(secret, Waiting.Asynchronously),
            () => left.EndAsync(secret, Waiting.Asynchronously),
        ];
        foreach (var call in calls)
            Assert.That(() => call(), Throws.InstanceOf<RedisException>().With.Matches<Exception>(error => !Names(error!, secret)));

        static bool Names(Exception error, string secret) =>
            $"{error} {string.Join(' ', error.Data.Values.Cast<object>())}".Contains(secret, StringComparison.Ordinal);
    }

    private static Task<RespReply> AllowAsync(ServerProcess server, params string[] keys) =>
        server.AskAsync(["ACL", "SETUSER", "sessions", "on", ">secret", "+@all", "allchannels", .. keys]);

    /// <summary>A visitor whose session an old instance has left.</summary>
    private static async Task<Browser> LeaveAsync(OwnServerApp own)
    {
        await using var old = await TakeoverFixture.StartOldAsync(own.Server.ConfigurationString, InstanceName);
        return (await TakeoverFixture.LeaveAsync(old)).At(own.App);
    }

    private Task<OwnServerApp> StartAsync(RedisSessionMode mode, FailureMode failureMode, params string[] keys) =>
        OwnServerApp.StartAsync(kind, async server =>
        {
            await AllowAsync(server, keys);
            return await TestApp.StartAsync($"redis://sessions:secret@{server.ConfigurationString}", options =>
            {
                (options.KeyPrefix, options.Mode, options.FailureMode) = ("app:", mode, failureMode);
                options.TakeOverSessions(InstanceName);
            });
        });
}
