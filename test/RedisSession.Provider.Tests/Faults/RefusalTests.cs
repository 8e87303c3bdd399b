namespace RedisSession.Provider.Tests;

/// <summary>Servers that answer, but refuse to write: full memory, a replica. Reading goes on, and nothing is half written.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class RefusalTests(ServerKind kind)
{
    private static readonly string[] NoEviction = ["--maxmemory-policy", "noeviction"];

    [Test]
    public async Task Out_of_memory_a_write_is_refused_as_a_whole_and_reading_goes_on(
        [Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        await using var own = await StartAsync(options => (options.Mode, options.FailureMode) = (mode, failureMode), NoEviction);
        await own.Server.AskAsync("CONFIG", "SET", "maxmemory", "1");
        using (var response = await own.Browser.SendAsync(async context =>
        {
            Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("1"));
            context.Session.SetString("new", "1");
            context.Session.SetString("key", "2");
            await context.Response.WriteAsync("done");
        }))
        {
            var expected = failureMode == FailureMode.Throw ? HttpStatusCode.InternalServerError : HttpStatusCode.OK;
            Assert.That(response.StatusCode, Is.EqualTo(expected));
        }

        Assert.That(own.App.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));
        Assert.That(await own.Browser.ContentAsync(), Is.EqualTo("key=1"));
        await own.Browser.VisitAsync(session =>
        {
            Assert.That(() => session.SetAsync("new", [1]), Throws.InstanceOf<RedisServerException>().With.Message.Contains("OOM"));
            Assert.That(session.GetString("key"), Is.EqualTo("1"));
        });

        await own.Server.AskAsync("CONFIG", "SET", "maxmemory", "0");
        await own.Browser.VisitAsync(session => session.SetString("new", "1"));
        Assert.That(await own.Browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["key", "new"]));
    }

    /// <summary>Also where the TTL is set with the write: once a script has written something, Redis lets it go on past maxmemory.</summary>
    [Test]
    public async Task Out_of_memory_nothing_new_is_stored_and_removing_works([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(
            options => (options.Mode, options.FailureMode, options.RefreshInterval) = (mode, FailureMode.Throw, TimeSpan.Zero), NoEviction);
        await own.Browser.VisitAsync(session => session.SetString("other", "1"));
        await own.Server.AskAsync("CONFIG", "SET", "maxmemory", "1");

        using var newcomer = own.App.NewBrowser();
        foreach (var browser in new[] { own.Browser, newcomer })
        {
            await RefusedAsync(browser, session => session.SetAsync("new", [1]));
            await RefusedAsync(browser, session => session.TrySetValueAsync("new", "1"));
            await RefusedAsync(browser, session => session.IncrementAsync("count"));
            await RefusedAsync(browser, session => session.UpdateJsonAsync<int[]>("list", list => [.. list ?? [], 1]));
            await RefusedAsync(browser, session => session.LockAsync());
        }

        await own.Browser.VisitAsync(context => context.Session.RemoveAsync("key"));
        await own.Browser.VisitAsync(async context => Assert.That((await context.Session.TakeAsync("other")).Str, Is.EqualTo("1")));
        string key = (await own.Server.AskAsync("KEYS", "*sessions:*")).Items!.Single().Text!;
        var fields = (await own.Server.AskAsync("HKEYS", key)).Items!.Select(field => field.Text);
        Assert.That(fields, Is.SubsetOf(new[] { "@gen", "@created", "@lock" }));

        static Task RefusedAsync(Browser browser, Func<ISession, Task> change) => browser.VisitAsync(async context =>
            await Assert.ThatAsync(() => change(context.Session), Throws.InstanceOf<RedisServerException>().With.Message.Contains("OOM")));
    }

    [Test]
    public async Task A_server_that_has_become_a_replica_refuses_writes_until_it_is_a_primary_again([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(options => (options.Mode, options.FailureMode) = (mode, FailureMode.Throw));

        // A primary that nobody listens at: the data stays, and what is read is stale at worst.
        await own.Server.AskAsync("REPLICAOF", "127.0.0.1", "1");
        await own.Browser.VisitAsync(session =>
            Assert.That(async () => await session.SetAsync("key", "new"u8.ToArray()), Throws.InstanceOf<RedisException>()));

        await own.Server.AskAsync("REPLICAOF", "NO", "ONE");
        await own.Browser.UntilServedAsync(context => context.Session.SetAsync("key", "new"u8.ToArray()));
        Assert.That(await own.Browser.GetStringAsync("key"), Is.EqualTo("new"));
    }

    /// <summary>
    /// What no request waits for, to refresh the expiry of a session and to list it for its user: requests go on, and the log says it, once
    /// and not for each request. Redis says MISCONF where it is to save the data and could not.
    /// </summary>
    [Test]
    public async Task A_refresh_that_is_refused_is_logged_once_and_resumes(
        [Values("NOREPLICAS", "MISCONF", "NOPERM")] string refusal, [Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        await using var own = await StartAsync(Configure, "--save", "3600 1000000");

        // An instance that has not done it before, and is connected: where Redis says MISCONF, it refuses PING too, by which the client
        // knows that it has a connection.
        await using var app = await TestApp.StartAsync(own.Server.ConfigurationString, Configure);
        using (var another = app.NewBrowser()) await another.SetStringAsync();
        await RefuseAsync(own.Server, refusal);

        // Through the synchronous API, read fresh, committed, not used at all.
        var browser = own.Browser.At(app);
        for (int i = 0; i < 3; i++)
        {
            await browser.VisitAsync(session => Assert.That(session.GetString("key"), Is.EqualTo("1")));
            await browser.VisitAsync(async context => Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("1")));
            await browser.VisitAsync(context => context.Session.CommitAsync());
            await browser.VisitAsync(_ => { });
        }

        int[] events = [SessionEvents.RefreshFailed, SessionEvents.ListingFailed];
        await Until.TrueAsync("it is logged", () => events.All(one => app.Logs.Of(one).Count > 0));
        await Task.Delay(50); // for what must not come
        foreach (int one in events)
        {
            var warnings = app.Logs.Of(one);
            Assert.That(warnings, Has.Count.EqualTo(1), string.Join('\n', warnings.Select(warning => warning.Error)));
            string text = warnings[0].Error!.Message;
            Assert.That(text, Does.Contain(refusal).Or.Contains("can't run this command").Or.Contains("no permissions"), "in a script");
        }

        await AllowAsync(own.Server, refusal);
        await own.Server.AskAsync("EXPIRE", own.SessionKey, "60");
        await browser.GetStringAsync("key");
        await Until.TrueAsync("it is refreshed", async () => (await own.Server.AskAsync("TTL", own.SessionKey)).Number > 600);

        void Configure(RedisHashSessionOptions options)
        {
            (options.Mode, options.FailureMode, options.RefreshInterval) = (mode, failureMode, TimeSpan.Zero);
            options.UserIdentifier = _ => "ann";
        }
    }

    private static async Task RefuseAsync(ServerProcess server, string refusal)
    {
        if (refusal == "NOREPLICAS") await server.AskAsync("CONFIG", "SET", "min-replicas-to-write", "1");
        if (refusal == "NOPERM") await server.AskAsync("ACL", "SETUSER", "default", "-expire", "-pexpire");
        if (refusal != "MISCONF") return;
        string directory = (await server.AskAsync("CONFIG", "GET", "dir"))[1].Text!;
        Directory.Delete(directory, recursive: true);
        await server.AskAsync("BGSAVE");
        await Until.TrueAsync(
            "the save has failed", async () => (await server.AskAsync("INFO", "persistence")).Line("rdb_last_bgsave_status") == "err");
        Directory.CreateDirectory(directory); // another one to the server, which stays in the old one
    }

    private static Task<RespReply> AllowAsync(ServerProcess server, string refusal) => refusal switch
    {
        "NOREPLICAS" => server.AskAsync("CONFIG", "SET", "min-replicas-to-write", "0"),
        "NOPERM" => server.AskAsync("ACL", "SETUSER", "default", "+expire", "+pexpire"),
        _ => server.AskAsync("CONFIG", "SET", "stop-writes-on-bgsave-error", "no"),
    };

    private Task<OwnServerApp> StartAsync(Action<RedisHashSessionOptions> configure, params string[] serverArguments) =>
        OwnServerApp.StartAsync(kind, configure, serverArguments: serverArguments);
}
