using System.Net;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Servers that answer, but refuse to write: full memory, a replica. Reading goes on, and nothing is half written.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class RefusalTests(ServerKind kind)
{
    [Test]
    public async Task Out_of_memory_a_write_is_refused_as_a_whole_and_reading_goes_on(
        [Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        await using var own = await StartAsync(mode, failureMode, "--maxmemory-policy", "noeviction");
        await using var admin = await ConnectionMultiplexer.ConnectAsync(own.Server.ConfigurationString + ",allowAdmin=true");

        await admin.GetServers().Single().ConfigSetAsync("maxmemory", "1");
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
        await own.Browser.VisitAsync(session =>
        {
            Assert.That(session.Keys, Is.EqualTo(["key"]));
            Assert.That(session.GetString("key"), Is.EqualTo("1"));
        });
        await own.Browser.VisitAsync(async context =>
        {
            Assert.That(
                async () => await context.Session.SetAsync("new", [1]),
                Throws.InstanceOf<RedisServerException>().With.Message.Contains("OOM"));
            Assert.That(context.Session.GetString("key"), Is.EqualTo("1"));
        });

        await admin.GetServers().Single().ConfigSetAsync("maxmemory", "0");
        await own.Browser.VisitAsync(session => session.SetString("new", "1"));
        Assert.That(await own.Browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["key", "new"]));
    }

    /// <summary>Also where the TTL is set with the write: once a script has written something, Redis lets it go on past maxmemory.</summary>
    [Test]
    public async Task Out_of_memory_nothing_new_is_stored_and_removing_works([Values] RedisSessionMode mode)
    {
        await using var own = await OwnServerApp.StartAsync(
            kind,
            options => (options.Mode, options.FailureMode, options.RefreshInterval) = (mode, FailureMode.Throw, TimeSpan.Zero),
            serverArguments: ["--maxmemory-policy", "noeviction"]);
        await own.Browser.VisitAsync(session => session.SetString("other", "1"));
        await using var admin = await ConnectionMultiplexer.ConnectAsync(own.Server.ConfigurationString + ",allowAdmin=true");
        await admin.GetServers().Single().ConfigSetAsync("maxmemory", "1");

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
        var redis = admin.GetDatabase();
        var keys = await admin.GetServers().Single().KeysAsync(pattern: "*sessions:*").ToArrayAsync();
        Assert.That(keys, Has.Length.EqualTo(1));
        Assert.That(await redis.HashKeysAsync(keys[0]), Is.SubsetOf(new RedisValue[] { "@gen", "@created", "@lock" }));

        static Task RefusedAsync(Browser browser, Func<ISession, Task> change) => browser.VisitAsync(async context =>
            await Assert.ThatAsync(() => change(context.Session), Throws.InstanceOf<RedisServerException>().With.Message.Contains("OOM")));
    }

    [Test]
    public async Task A_server_that_has_become_a_replica_refuses_writes_until_it_is_a_primary_again([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode, FailureMode.Throw);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(own.Server.ConfigurationString + ",allowAdmin=true");

        // A primary that nobody listens at: the data stays, and what is read is stale at worst.
        await admin.GetDatabase().ExecuteAsync("REPLICAOF", "127.0.0.1", "1");
        await own.Browser.VisitAsync(async context =>
        {
            Assert.That(async () => await context.Session.SetAsync("key", "new"u8.ToArray()), Throws.InstanceOf<RedisException>());
        });

        await admin.GetDatabase().ExecuteAsync("REPLICAOF", "NO", "ONE");
        await Assert.ThatAsync(
            async () =>
            {
                using var response = await own.Browser.SendAsync(context => context.Session.SetAsync("key", "new"u8.ToArray()));
                return response.IsSuccessStatusCode;
            },
            Is.True.After(30_000, 50));
        Assert.That(await own.Browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"));
    }

    [Test]
    public async Task A_write_that_the_client_cannot_even_send_is_a_failed_write([Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await TestApp.StartAsync(
            $"redis://{server.ConfigurationString}/99", options => (options.Mode, options.FailureMode) = (mode, failureMode));
        using var browser = app.NewBrowser();
        using var response = await browser.SendAsync(context =>
        {
            context.Session.SetString("key", "1");
            return context.Response.WriteAsync("done");
        });
        var expected = failureMode == FailureMode.Throw ? HttpStatusCode.InternalServerError : HttpStatusCode.OK;
        Assert.That(response.StatusCode, Is.EqualTo(expected));
        Assert.That(app.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));
    }

    private Task<OwnServerApp> StartAsync(RedisSessionMode mode, FailureMode failureMode, params string[] serverArguments) =>
        OwnServerApp.StartAsync(
            kind, options => (options.Mode, options.FailureMode) = (mode, failureMode), serverArguments: serverArguments);
}
