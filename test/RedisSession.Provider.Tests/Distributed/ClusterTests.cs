using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Tests;

/// <summary>Sessions on a cluster whose nodes are all well.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class ClusterTests(ServerKind kind)
{
    private const int Sessions = 300;
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10);

    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private readonly Dictionary<RedisSessionMode, TestApp> _apps = [];
    private RedisCluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAll()
    {
        _cluster = await RedisCluster.StartAsync(kind);
        foreach (var mode in Enum.GetValues<RedisSessionMode>()) _apps[mode] = await StartAppAsync(options => options.Mode = mode);
    }

    [OneTimeTearDown]
    public async Task StopAll()
    {
        foreach (var app in _apps.Values) await app.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    /// <summary>After each test, because each has left its sessions here.</summary>
    [TearDown]
    public async Task No_test_has_left_a_session_without_expiry() => Assert.That(
        await ExpiryAudit.KeysWithoutExpiryAsync(await _cluster.PrimariesAsync(), "*s:*"), Is.Empty);

    [Test]
    public async Task The_health_check_works_here_too()
    {
        var services = _apps[RedisSessionMode.Buffered].Services;
        var check = new SessionHealthCheck(
            services.GetRequiredService<RedisConnection>(),
            services.GetRequiredService<IOptions<RedisHashSessionOptions>>(),
            hasHandlers: false);
        var result = await check.CheckHealthAsync(new() { Registration = new("sessions", check, failureStatus: null, tags: null) });
        Assert.That(result.Status, Is.EqualTo(HealthStatus.Healthy), result.Description);
        Assert.That(result.Data["servers_connected"], Is.GreaterThanOrEqualTo(3).And.EqualTo(result.Data["servers"]));
    }

    [Test]
    public async Task Keys_are_set_read_removed_and_cleared([Values] RedisSessionMode mode)
    {
        using var browser = _apps[mode].NewBrowser();
        await browser.VisitAsync(session =>
        {
            session.SetString("a", "1");
            session.SetInt32("b", 2);
            session.SetString("goes", "3");
        });
        await browser.VisitAsync(session =>
        {
            Assert.That((session.GetString("a"), session.GetInt32("b")), Is.EqualTo(("1", 2)));
            session.Remove("goes");
        });
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["a", "b"]));

        await browser.VisitAsync(session =>
        {
            session.Clear();
            session.SetString("after", "4");
        });
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EqualTo(["after"]));
    }

    [Test]
    public async Task Sessions_are_renewed_into_other_slots_and_abandoned([Values] RedisSessionMode mode)
    {
        var redis = (await _apps[mode].Services.GetRequiredService<IRedisSessionConnection>().GetDatabaseAsync()).Multiplexer;
        int SlotOf(string id) => redis.HashSlot($"{_keyPrefix}sessions:{id}");
        int moved = 0;
        for (int i = 0; i < 10; i++)
        {
            using var browser = _apps[mode].NewBrowser();
            string oldId = await browser.VisitAsync(session =>
            {
                session.SetInt32("n", i);
                return session.Id;
            });
            string newId = await browser.VisitAsync(async context =>
            {
                await context.RenewSessionAsync("ann");
                return context.Session.Id;
            });
            if (SlotOf(newId) != SlotOf(oldId)) moved++;
            await browser.VisitAsync(session =>
            {
                Assert.That(session.Id, Is.EqualTo(newId));
                Assert.That(session.GetInt32("n"), Is.EqualTo(i));
            });
            await browser.VisitAsync(context => context.AbandonSessionAsync());
            Assert.That(browser.SessionCookie, Is.Null);
        }

        Assert.That(moved, Is.GreaterThan(5));
    }

    [Test]
    public async Task The_asynchronous_members_work([Values] RedisSessionMode mode)
    {
        using var browser = _apps[mode].NewBrowser();
        await browser.VisitAsync(async context =>
        {
            var session = context.Session;
            await session.SetValueAsync("n", 1);
            await session.SetAsync(new Dictionary<string, byte[]> { ["a"] = [1], ["b"] = [2] });
            Assert.That(await session.GetIntAsync("n"), Is.EqualTo(1));
        });
        await browser.VisitAsync(async context =>
        {
            var session = context.Session;
            var read = await session.ReadAsync(["a", "b", "absent"]);
            Assert.That(read.Values.Select(value => value.Raw), Is.EqualTo(new byte[]?[] { [1], [2], null }));
            await session.RemoveAsync("a");
            await session.LoadAsync();
            Assert.That(session.Keys, Is.EquivalentTo(["b", "n"]));
        });
    }

    [Test]
    public async Task Three_thousand_keys_fit([Values] RedisSessionMode mode)
    {
        using var browser = _apps[mode].NewBrowser();
        var values = Enumerable.Range(0, 3000).ToDictionary(i => $"key{i}", BitConverter.GetBytes);
        await browser.VisitAsync(context => context.Session.SetAsync(values));
        await browser.VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            Assert.That(context.Session.Keys.Count(), Is.EqualTo(3000));
            Assert.That(context.Session.GetRaw("key2999"), Is.EqualTo(values["key2999"]));
            for (int i = 0; i < 2999; i++) context.Session.Remove($"key{i}");
        });
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EqualTo(["key2999"]));
    }

    [Test]
    public async Task Sixty_four_parallel_requests_each_keep_their_key([Values] RedisSessionMode mode)
    {
        using var browser = _apps[mode].NewBrowser();
        await browser.VisitAsync(session => session.SetString("first", "1"));
        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => browser.VisitAsync(session => session.SetInt32($"key{i}", i))));
        await browser.VisitAsync(session =>
        {
            for (int i = 0; i < 64; i++) Assert.That(session.GetInt32($"key{i}"), Is.EqualTo(i));
        });
    }

    [Test]
    public async Task The_expiry_is_renewed_and_ends_the_session([Values] RedisSessionMode mode)
    {
        using (var browser = _apps[mode].NewBrowser())
        {
            string key = KeyOf(await NewSessionAsync(browser));
            await AskAsync(key, "PEXPIRE", key, "60000");
            await browser.VisitAsync(session => session.GetString("key"));
            Assert.That(
                async () => await TimeToLiveAsync(key), Is.EqualTo(Idle).Within(TimeSpan.FromSeconds(30)).After(5000, 10));
        }

        await using var app = await StartAppAsync(options => (options.Mode, options.IdleTimeout) = (mode, TimeSpan.FromMilliseconds(200)));
        using var late = app.NewBrowser();
        string gone = KeyOf(await NewSessionAsync(late));
        Assert.That(async () => (await AskAsync(gone, "EXISTS", gone)).Number, Is.Zero.After(5000, 10));
        Assert.That(await late.VisitAsync(session => session.GetString("key")), Is.Null);
    }

    [Test]
    public async Task The_absolute_timeout_bounds_the_expiry_and_ends_the_session([Values] RedisSessionMode mode)
    {
        await using var app = await StartAppAsync(options => (options.Mode, options.AbsoluteTimeout) = (mode, Idle * 2));
        using var browser = app.NewBrowser();
        string key = KeyOf(await NewSessionAsync(browser));

        await AskAsync(key, "HSET", key, "@created", Ago(minutes: 15));
        foreach (var use in (Action<ISession>[])[session => session.GetString("key"), session => session.SetString("key", "2"), _ => { }])
        {
            await AskAsync(key, "PEXPIRE", key, "60000");
            await browser.VisitAsync(use);
            Assert.That(
                async () => await TimeToLiveAsync(key),
                Is.EqualTo(TimeSpan.FromMinutes(5)).Within(TimeSpan.FromSeconds(30)).After(5000, 10));
        }

        await AskAsync(key, "HSET", key, "@created", Ago(minutes: 21));
        await browser.VisitAsync(_ => { });
        Assert.That(async () => (await AskAsync(key, "EXISTS", key)).Number, Is.Zero.After(5000, 10));
    }

    [Test]
    public async Task An_ended_session_stays_ended([Values] RedisSessionMode mode)
    {
        using var browser = _apps[mode].NewBrowser();
        string key = KeyOf(await NewSessionAsync(browser));
        await browser.VisitAsync(async context =>
        {
            Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("value"));
            await AskAsync(key, "DEL", key);
            context.Session.SetString("late", "1");
            Assert.That(async () => await context.Session.CommitAsync(), Throws.InstanceOf<SessionEndedException>());
        });
        Assert.That((await AskAsync(key, "EXISTS", key)).Number, Is.Zero);
    }

    /// <summary>A script that touched a second key would meet one of another node, in one of these sessions or the other.</summary>
    [Test]
    public async Task Every_script_works_for_sessions_on_every_primary([Values] RedisSessionMode mode)
    {
        await using var app = await StartAppAsync(options => (options.Mode, options.AbsoluteTimeout) = (mode, Idle * 2));
        var primaries = new HashSet<ServerProcess>();
        for (int i = 0; i < 30; i++)
        {
            using var browser = app.NewBrowser();
            string key = KeyOf(await NewSessionAsync(browser));
            primaries.Add(await _cluster.PrimaryOfAsync(key));
            await browser.VisitAsync(session => session.GetString("key")); // renews by a script
            await browser.VisitAsync(session => session.Remove("key"));
            await browser.VisitAsync(session =>
            {
                session.Clear();
                session.SetString("new", "1");
            });
            await AskAsync(key, "HSET", key, "@created", Ago(minutes: 21));
            await browser.VisitAsync(session => session.SetString("newer", "1"));
            Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EqualTo(["newer"]));
        }

        Assert.That(primaries, Has.Count.EqualTo(3));
        Assert.That(app.Logs.All.Where(entry => entry.Error is not null), Is.Empty);
    }

    [Test]
    public async Task A_session_stays_while_its_slot_moves_to_another_primary([Values] RedisSessionMode mode)
    {
        using var browser = _apps[mode].NewBrowser();
        string key = KeyOf(await NewSessionAsync(browser));
        var before = await _cluster.PrimaryOfAsync(key);

        await _cluster.MoveSlotAsync(key, async () =>
        {
            Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("value"));
            await browser.VisitAsync(session => session.SetString("on the way", "1"));
        });
        await browser.VisitAsync(session => session.SetString("after", "2"));

        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["key", "on the way", "after"]));
        Assert.That(await _cluster.PrimaryOfAsync(key), Is.Not.SameAs(before));
    }

    [TestCase("")]
    [TestCase("app:")]
    public async Task Sessions_spread_over_the_primaries_with_the_key_prefix(string keyPrefix) =>
        Assert.That(await SpreadAsync(keyPrefix), Has.Length.EqualTo(3).And.All.GreaterThan(Sessions / 5));

    [Test]
    public async Task A_key_prefix_in_braces_puts_all_sessions_on_one_primary() =>
        Assert.That(await SpreadAsync("{app}:"), Is.EquivalentTo([Sessions, 0, 0]));

    /// <summary>How many of the new sessions each primary holds.</summary>
    private async Task<int[]> SpreadAsync(string keyPrefix)
    {
        await using var app = await StartAppAsync(options => options.KeyPrefix = keyPrefix);
        for (int i = 0; i < Sessions; i++)
        {
            using var browser = app.NewBrowser();
            await NewSessionAsync(browser);
        }

        var primaries = await _cluster.PrimariesAsync();
        var keys = await Task.WhenAll(primaries.Select(primary => Resp.AskAsync(primary.Port, "KEYS", $"{keyPrefix}sessions:*")));
        return [.. keys.Select(found => found.Items!.Count)];
    }

    private Task<TestApp> StartAppAsync(Action<RedisHashSessionOptions> configure) => TestApp.StartAsync(services =>
        services.AddRedisHashSession(options =>
        {
            options.Configuration = _cluster.ConfigurationString;
            options.KeyPrefix = _keyPrefix;
            options.IdleTimeout = Idle;
            options.FailureMode = FailureMode.Throw;
            options.RefreshInterval = TimeSpan.Zero;
            configure(options);
        }));

    private string KeyOf(string sessionId) => $"{_keyPrefix}sessions:{sessionId}";

    private async Task<RespReply> AskAsync(string key, params string[] command) =>
        await Resp.AskAsync((await _cluster.PrimaryOfAsync(key)).Port, command);

    private async Task<TimeSpan> TimeToLiveAsync(string key) => TimeSpan.FromMilliseconds((await AskAsync(key, "PTTL", key)).Number);

    private static string Ago(int minutes) =>
        DateTimeOffset.UtcNow.AddMinutes(-minutes).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    private static Task<string> NewSessionAsync(Browser browser) => browser.VisitAsync(session =>
    {
        session.SetString("key", "value");
        return session.Id;
    });
}
