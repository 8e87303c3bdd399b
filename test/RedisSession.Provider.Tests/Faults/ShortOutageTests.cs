using System.Diagnostics;
using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A request waits out a short outage, and does not wait in a long one. The server itself stays: its connections are cut, and come about
/// again later.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class ShortOutageTests(ServerKind kind)
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    [Test]
    public async Task Nobody_is_signed_out_by_a_short_one_and_no_write_is_lost(
        [Values] RedisSessionMode mode, [Values] FailureMode failureMode, [Values] bool awaits)
    {
        await using var relayed = await RelayedApp.StartAsync(kind, options => (options.Mode, options.FailureMode) = (mode, failureMode));
        var visitors = Enumerable.Range(0, 20).Select(_ => relayed.App.NewBrowser()).ToArray();
        await Task.WhenAll(visitors.Select((browser, i) => browser.SetStringAsync("name", $"visitor{i}")));

        relayed.Relay.Down();
        var visits = visitors.Select(browser => browser.VisitAsync(async context =>
        {
            string name = awaits ? await context.Session.GetStrAsync("name") : context.Session.GetStr("name");
            if (awaits) await context.Session.SetValueAsync("seen", name);
            else context.Session.SetString("seen", name);
        })).ToList();
        await Task.Delay(300); // under way, most of them
        Assert.That(visits.Where(visit => visit.IsCompleted), Is.Empty);
        relayed.Relay.Up();
        await Task.WhenAll(visits);
        for (int i = 0; i < visitors.Length; i++)
        {
            Assert.That(await visitors[i].GetStringAsync("seen"), Is.EqualTo($"visitor{i}"));
            visitors[i].Dispose();
        }

        var logs = relayed.App.Logs;
        Assert.That(logs.Of(SessionEvents.ReadFailed).Concat(logs.Of(SessionEvents.WriteFailed)), Is.Empty);
    }

    [Test]
    public async Task In_a_long_one_nobody_waits_beyond_the_tolerance_and_then_nobody_at_all([Values] bool awaits)
    {
        var tolerance = TimeSpan.FromSeconds(1);
        await using var relayed = await RelayedApp.StartAsync(kind, options => options.OutageTolerance = tolerance);
        var outage = Stopwatch.StartNew();
        await relayed.DownAsync();
        Assert.That(await FailsAsync(), Is.True, "it waited for the end of the tolerance, and no longer");
        Assert.That(outage.Elapsed, Is.GreaterThanOrEqualTo(tolerance - TimeSpan.FromMilliseconds(50)));
        var least = TimeSpan.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            var clock = Stopwatch.StartNew();
            Assert.That(await FailsAsync(), Is.True);
            if (clock.Elapsed < least) least = clock.Elapsed;
        }

        Assert.That(least, Is.LessThan(tolerance / 2), "from then on requests fail at once");
        relayed.Relay.Up();
        await Until.TrueAsync("it is served", async () => !await FailsAsync());

        async Task<bool> FailsAsync()
        {
            return !await relayed.Browser.VisitAsync(context => Attempt.IsDoneAsync<RedisConnectionException>(async () =>
            {
                if (awaits) await context.Session.GetStrAsync("key");
                else context.Session.GetString("key");
            }));
        }
    }

    [Test]
    public async Task No_command_waits_longer_than_the_IOTimeout()
    {
        await using var relayed = await RelayedApp.StartAsync(kind, options => options.IOTimeout = TimeSpan.FromMilliseconds(500));
        await relayed.DownAsync();
        await FailsWithinAsync(relayed.Browser, Long / 2, session =>
        {
            Assert.That(async () => await session.GetStrAsync("key"), Throws.Exception);
            Assert.That(() => session.GetString("key"), Throws.Exception);
        });
    }

    [Test]
    public async Task With_a_tolerance_of_0_and_with_the_applications_own_policy_commands_fail_at_once([Values] bool own)
    {
        await using var relayed = await RelayedApp.StartAsync(kind, options =>
        {
            options.ConfigurationOptions = ConfigurationOptions.Parse(options.Configuration!);
            if (own) options.ConfigurationOptions.BacklogPolicy = BacklogPolicy.FailFast;
            else options.OutageTolerance = TimeSpan.Zero;
        });
        await relayed.DownAsync();
        await FailsWithinAsync(relayed.Browser, Long / 4, session =>
            Assert.That(async () => await session.GetStrAsync("key"), Throws.InstanceOf<RedisConnectionException>()));
    }

    [Test]
    public async Task A_connection_of_the_application_is_waited_for_no_longer_either()
    {
        await using var relay = new Relay((await TestServers.GetAsync(kind)).ConfigurationString);
        await using var own = await ConnectionMultiplexer.ConnectAsync(relay.Address + ",asyncTimeout=60000,abortConnect=false");
        await using var app = await TestApp.StartAsync(services => services.AddSingleton<IConnectionMultiplexer>(own).AddRedisHashSession(
            options => (options.FailureMode, options.OutageTolerance) = (FailureMode.Throw, TimeSpan.FromSeconds(1))));
        using var browser = app.NewBrowser();
        await browser.SetStringAsync();
        relay.Down();
        await app.UntilDisconnectedAsync();

        // The client would keep it for a minute.
        await FailsWithinAsync(browser, TimeSpan.FromSeconds(30), session =>
            Assert.That(async () => await session.GetStrAsync("key"), Throws.InstanceOf<RedisConnectionException>()));
    }

    /// <summary>The server has the commands, and the connection is cut before anybody has an answer.</summary>
    [Test]
    public async Task What_was_under_way_is_sent_again_unless_it_would_count_twice()
    {
        await using var relayed = await RelayedApp.StartAsync(kind);
        var (relay, browser) = (relayed.Relay, relayed.Browser);
        await browser.VisitAsync(async context =>
        {
            await context.Session.IncrementAsync("count");
            await context.Session.SetValueAsync("token", "once");
        });
        (string Name, string Command, Func<ISession, Task<string>> Call)[] calls =
        [
            ("read", "HMGET", async session => await session.GetStrAsync("key")),
            ("load", "HGETALL", async session => { await session.LoadAsync(); return session.GetStr("key"); }),
            ("set", "EVAL", async session => { await session.SetValueAsync("set", "new"); return "set"; }),
            ("increment", "EVAL", async session => $"{await session.IncrementAsync("count")}"),
            ("take", "EVAL", async session => (await session.TakeAsync("token")).Str),
            ("try", "EVAL", async session => $"{await session.TrySetValueAsync("first", "mine")}"),
        ];
        var redis = await relayed.App.RedisAsync();
        var answers = new Dictionary<string, string>();
        foreach (var (name, command, call) in calls)
        {
            await Until.TrueAsync("there is a connection", () => redis.Multiplexer.IsConnected);
            await browser.VisitAsync(async context =>
            {
                relay.Hold();
                var seen = relay.SeenAsync(command);
                var answer = call(context.Session);
                await seen;
                relay.Cut();
                relay.Release();
                try
                {
                    answers[name] = await answer;
                }
                catch (RedisConnectionException error)
                {
                    answers[name] = error.Message;
                }
            });
        }

        Assert.That((answers["read"], answers["load"], answers["set"]), Is.EqualTo(("1", "1", "set")));
        Assert.That((string[])[answers["increment"], answers["take"], answers["try"]], Has.All.Contains("may have been applied"));
        await browser.VisitAsync(async context =>
        {
            Assert.That(await context.Session.GetStrAsync("set"), Is.EqualTo("new"));
            Assert.That(await context.Session.GetIntAsync("count"), Is.AnyOf(1, 2), "made once at most");
        });
    }

    [Test]
    public async Task A_client_that_is_killed_again_and_again_loses_no_write()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await TestApp.StartAsync(server.ConfigurationString + ",name=load", options =>
            (options.FailureMode, options.OutageTolerance) = (FailureMode.Throw, Long));
        await using var load = CounterLoad.Start(app);
        for (int i = 0; i < 20; i++)
        {
            await load.UntilServedAsync();
            await server.AskAsync("CLIENT", "KILL", "TYPE", "normal");
        }

        await load.UntilServedAsync();
        Assert.That(await load.StopAndFindLostAsync(), Is.Empty);
        Assert.That((load.Failed, string.Join('\n', load.Faults)), Is.EqualTo((0, "")));
    }

    [Test]
    public async Task The_cache_does_the_same([Values] bool awaits)
    {
        await using var relay = new Relay((await TestServers.GetAsync(kind)).ConfigurationString);
        await using var services = new ServiceCollection().AddLogging().AddRedisHashCache(options =>
            (options.Configuration, options.InstanceName, options.OutageTolerance) =
                (relay.Address + ",syncTimeout=60000", CacheStack.NewInstanceName(), Long)).BuildServiceProvider();
        var cache = services.GetRequiredService<IDistributedCache>();
        var tenMinutes = new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(10) };
        await cache.SetAsync("key", [1], tenMinutes);
        relay.Down();
        var small = Task.Run(() => SetAsync("small", new byte[10]));
        var large = Task.Run(() => SetAsync("large", new byte[10_000]));
        var read = Task.Run(async () => awaits ? await cache.GetAsync("key") : cache.Get("key"));
        await Task.Delay(300);
        Assert.That(small.IsCompleted || large.IsCompleted || read.IsCompleted, Is.False);
        relay.Up();
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
    public async Task A_proxy_that_cuts_the_connection_at_the_question_for_the_size_is_told_by_nothing_else()
    {
        await using var relayed = await RelayedApp.StartAsync(kind);
        string user = $"user {Guid.NewGuid()}";
        await relayed.Browser.BeginAsAsync(user);
        relayed.Relay.CutAt("MEMORY");
        for (int i = 0; i < 4; i++)
            Assert.That((await relayed.App.Directory.FindByUserAsync(user).SingleAsync()).SizeInBytes, Is.Null);
        Assert.That(relayed.Relay.Cuts, Is.EqualTo(2), "once more, because the first may have been an accident");
    }

    private static Task FailsWithinAsync(Browser browser, TimeSpan time, Action<ISession> work) => browser.VisitAsync(session =>
    {
        var clock = Stopwatch.StartNew();
        work(session);
        Assert.That(clock.Elapsed, Is.LessThan(time));
    });
}
