using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Tests;

/// <summary>Sessions on a cluster: one, the list of its user and what AddSession has left are on different servers as a rule.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class ClusterTests(ServerKind kind) : OwningFixture
{
    private const int Sessions = 300;
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10);

    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private readonly Dictionary<RedisSessionMode, TestApp> _apps = [];
    private RedisCluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAll()
    {
        _cluster = Owned.Add(await RedisCluster.StartAsync(kind));
        foreach (var mode in Enum.GetValues<RedisSessionMode>()) _apps[mode] = Owned.Add(await StartAppAsync(options => options.Mode = mode));
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
    public async Task The_health_check_looks_at_what_a_new_key_in_another_slot_needs()
    {
        foreach (string node in _cluster.ConfigurationString.Split(','))
        {
            int port = int.Parse(node.AsSpan(node.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);
            await Resp.AskAsync(port, "ACL", "SETUSER", "poor", "on", ">password", "~*", "&*", "+@all", "-hscan");
        }

        foreach (string prefix in (string[])["app:", "{app}:"])
        {
            await using var app = await TestApp.StartAsync(
                $"{_cluster.ConfigurationString},user=poor,password=password", options => options.KeyPrefix = prefix);
            var check = new SessionHealthCheck(
                app.Services.GetRequiredService<RedisConnection>(),
                app.Services.GetRequiredService<IOptions<RedisHashSessionOptions>>(),
                hasHandlers: false);
            var result = await check.CheckHealthAsync(new() { Registration = new("sessions", check, failureStatus: null, tags: null) });
            Assert.That(result.Description, prefix == "app:" ? Does.Contain("no permission for hscan") : Is.EqualTo("Redis answers and runs scripts."));
        }
    }

    [Test]
    public async Task Sessions_are_renewed_into_other_slots_and_abandoned([Values] RedisSessionMode mode)
    {
        var redis = (await _apps[mode].RedisAsync()).Multiplexer;
        int SlotOf(string id) => redis.HashSlot(KeyOf(id));
        int moved = 0;
        for (int i = 0; i < 10; i++)
        {
            using var browser = _apps[mode].NewBrowser();
            string oldId = await browser.SetStringAsync("n", $"{i}");
            string newId = await browser.RenewAsync("ann");
            if (SlotOf(newId) != SlotOf(oldId)) moved++;
            await browser.VisitAsync(session => Assert.That((session.Id, session.GetString("n")), Is.EqualTo((newId, $"{i}"))));
            await browser.VisitAsync(context => context.AbandonSessionAsync());
            Assert.That(browser.SessionCookie, Is.Null);
        }

        Assert.That(moved, Is.GreaterThan(5));
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
        Assert.That(await KeysAsync(browser), Is.EqualTo(["key2999"]));
    }

    [Test]
    public async Task Sixty_four_parallel_requests_each_keep_their_key([Values] RedisSessionMode mode)
    {
        using var browser = await _apps[mode].NewVisitorAsync(key: "first");
        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => browser.VisitAsync(session => session.SetInt32($"key{i}", i))));
        await browser.VisitAsync(session =>
        {
            for (int i = 0; i < 64; i++) Assert.That(session.GetInt32($"key{i}"), Is.EqualTo(i));
        });
    }

    [Test]
    public async Task The_expiry_is_renewed_and_ends_the_session([Values] RedisSessionMode mode)
    {
        using var browser = await _apps[mode].NewVisitorAsync();
        await IsRenewedAsync(browser, session => session.GetString("key"), Idle);

        await using var app = await StartAppAsync(options => (options.Mode, options.IdleTimeout) = (mode, TimeSpan.FromMilliseconds(200)));
        using var late = await app.NewVisitorAsync();
        await UntilGoneAsync(KeyOf(late.SessionId));
        Assert.That(await late.GetStringAsync("key"), Is.Null);
    }

    [Test]
    public async Task The_absolute_timeout_bounds_the_expiry_and_ends_the_session([Values] RedisSessionMode mode)
    {
        await using var app = await StartAppAsync(options => (options.Mode, options.AbsoluteTimeout) = (mode, Idle * 2));
        using var browser = await app.NewVisitorAsync();
        string key = KeyOf(browser.SessionId);

        await AskAsync(key, "HSET", key, "@created", Ago(minutes: 15));
        foreach (var use in (Action<ISession>[])[session => session.GetString("key"), session => session.SetString("key", "2"), _ => { }])
            await IsRenewedAsync(browser, use, TimeSpan.FromMinutes(5));

        await AskAsync(key, "HSET", key, "@created", Ago(minutes: 21));
        await browser.VisitAsync(_ => { });
        await UntilGoneAsync(key);
    }

    [Test]
    public async Task An_ended_session_stays_ended([Values] RedisSessionMode mode)
    {
        using var browser = await _apps[mode].NewVisitorAsync();
        string key = KeyOf(browser.SessionId);
        await browser.VisitAsync(async context =>
        {
            Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("old"));
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
            using var browser = await app.NewVisitorAsync(value: "1");
            string key = KeyOf(browser.SessionId);
            primaries.Add(await _cluster.PrimaryOfAsync(key));
            await browser.VisitAsync(session => session.SetInt32("n", session.GetStr("key").Length)); // renews by a script
            await browser.VisitAsync(async context =>
            {
                var session = context.Session;
                await session.SetValueAsync("n", await session.GetIntAsync("n") + 1);
                await session.SetAsync(new Dictionary<string, byte[]> { ["a"] = [1], ["b"] = [2] });
                Assert.That(await session.GetIntAsync("n"), Is.EqualTo(2));
            });
            await browser.VisitAsync(async context =>
            {
                var read = await context.Session.ReadAsync(["a", "b", "absent"]);
                Assert.That(read.Values.Select(value => value.Raw), Is.EqualTo(new byte[]?[] { [1], [2], null }));
                await context.Session.RemoveAsync("a");
                await context.Session.LoadAsync();
                Assert.That(context.Session.Keys, Is.EquivalentTo(["b", "key", "n"]));
            });
            await browser.VisitAsync(session => session.Remove("key"));
            Assert.That(await KeysAsync(browser), Is.EquivalentTo(["b", "n"]));
            await browser.VisitAsync(session => { session.Clear(); session.SetString("new", "1"); });
            Assert.That(await KeysAsync(browser), Is.EqualTo(["new"]));
            await AskAsync(key, "HSET", key, "@created", Ago(minutes: 21));
            await browser.VisitAsync(session => session.SetString("newer", "1"));
            Assert.That(await KeysAsync(browser), Is.EqualTo(["newer"]));
        }

        Assert.That(primaries, Has.Count.EqualTo(3));
        Assert.That(app.Logs.All.Where(entry => entry.Error is not null), Is.Empty);
    }

    [Test]
    public async Task A_session_stays_while_its_slot_moves_to_another_primary([Values] RedisSessionMode mode)
    {
        using var browser = await _apps[mode].NewVisitorAsync();
        string key = KeyOf(browser.SessionId);
        var before = await _cluster.PrimaryOfAsync(key);

        await _cluster.MoveSlotAsync(key, async () =>
        {
            Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
            await browser.VisitAsync(session => session.SetString("on the way", "1"));
        });
        await browser.VisitAsync(session => session.SetString("after", "2"));

        Assert.That(await KeysAsync(browser), Is.EquivalentTo(["key", "on the way", "after"]));
        Assert.That(await _cluster.PrimaryOfAsync(key), Is.Not.SameAs(before));
    }

    [Test]
    [Category(FullRun.Only)]
    public async Task Some_of_the_sessions_are_found_on_every_primary()
    {
        var app = _apps[RedisSessionMode.Buffered];
        string user = $"User {Guid.NewGuid()}";
        var ids = new HashSet<string>();
        var primaries = new HashSet<ServerProcess>();
        while (primaries.Count < 3 || ids.Count < 10)
        {
            using var browser = await app.NewVisitorAsync(user);
            string id = browser.SessionId;
            ids.Add(id);
            primaries.Add(await _cluster.PrimaryOfAsync(KeyOf(id)));
            Assert.That(await FindAsync(new() { IdStart = id[..12] }), Is.EqualTo([id]));
        }

        Assert.That(await FindAsync(new() { UserInAnyCase = user.ToUpperInvariant() }), Is.EquivalentTo(ids));

        Task<HashSet<string>> FindAsync(SessionFilter filter) => IdsPageByPageAsync(next => app.Directory.FindPageAsync(filter, 3, next));
    }

    [Test]
    [Category(FullRun.Only)]
    public async Task Sessions_on_every_primary_are_bound_found_moved_and_ended([Values] RedisSessionMode mode, [Values] bool reads)
    {
        await using var app = await StartAppAsync(options => (options.Mode, options.RefreshInterval) = (mode, TimeSpan.FromSeconds(1)));
        var directory = app.Directory;
        var primaries = new HashSet<ServerProcess>();
        var ids = new HashSet<string>();
        string user = $"user {Guid.NewGuid()}";
        var browsers = Enumerable.Range(0, 20).Select(_ => app.NewBrowser()).ToArray();
        foreach (var browser in browsers)
        {
            string id = await browser.BeginAsAsync(reads ? null : user);
            if (reads) await browser.VisitAsAsync(user, session => session.GetString("key"));
            Assert.That(ids.Add(id), Is.True);
            primaries.Add(await _cluster.PrimaryOfAsync(KeyOf(id)));
            Assert.That(await directory.IdsOfAsync(user), Is.EquivalentTo(ids));
        }

        Assert.That(primaries, Has.Count.EqualTo(3));
        foreach (var browser in browsers.Take(10))
        {
            ids.Remove(browser.SessionId);
            ids.Add(await browser.RenewAsync(user));
            Assert.That(await directory.IdsOfAsync(user), Is.EquivalentTo(ids));
        }

        await browsers[0].VisitAsync(context => context.AbandonSessionAsync());
        string kept = browsers[1].SessionId;
        Assert.That(await directory.EndAllForUserAsync(user, exceptId: kept), Is.EqualTo(18));
        Assert.That(await directory.IdsOfAsync(user), Is.EqualTo([kept]));
        Assert.That(await directory.EndAsync(kept), Is.True);
        Assert.That(await directory.FindByUserAsync(user).CountAsync(), Is.Zero);
        Assert.That(app.Logs.Of(SessionEvents.ListingFailed), Is.Empty);
        foreach (var browser in browsers) browser.Dispose();
    }

    [Test]
    [Category(FullRun.Only)]
    public async Task All_primaries_are_listed()
    {
        await using var app = await StartAppAsync(options => options.KeyPrefix = SessionStack.NewKeyPrefix());
        var ids = await BeginAsync(app, 100);
        var directory = app.Directory;
        Assert.That(await directory.ListAsync().Select(session => session.Id).ToArrayAsync(), Is.EquivalentTo(ids));
        Assert.That(await directory.CountAsync(), Is.EqualTo(100));
        Assert.That((await directory.GetAsync(ids.First()))!.KeyCount, Is.EqualTo(1));

        // The same page by page: some end at one primary, and some go on at the next.
        Assert.That(await IdsPageByPageAsync(next => directory.ListPageAsync(10, next)), Is.EquivalentTo(ids));
    }

    [Test]
    [Category(FullRun.Only)]
    public async Task While_a_primary_is_away_there_is_no_list_rather_than_one_with_holes()
    {
        await using var cluster = await RedisCluster.StartAsync(kind);
        await using var app = await StartAppAsync(options => (options.Configuration, options.IOTimeout, options.OutageTolerance) =
            (cluster.ConfigurationString, TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(100)));
        string[] ids = await BeginAsync(app, 30);
        var directory = app.Directory;
        var killed = await cluster.KillPrimaryOfAsync(KeyOf(ids[0]));
        Assert.That(async () => await directory.ListAsync().CountAsync(), Throws.Exception.Matches<Exception>(IsOutage));
        Assert.That(async () => await directory.ListPageAsync(1000), Throws.Exception.Matches<Exception>(IsOutage));
        Assert.That(async () => await directory.CountAsync(), Throws.Exception.Matches<Exception>(IsOutage));

        await cluster.WaitForFailoverAsync(killed);
        long count = -1; // as long as the client has not noticed yet
        Assert.That(
            async () =>
            {
                await Attempt.IsDoneAsync(async () => count = await directory.CountAsync(), IsOutage);
                return count;
            },
            Is.EqualTo(30).After(30_000, 50));
        Assert.That(await directory.ListAsync().Select(session => session.Id).ToArrayAsync(), Is.EquivalentTo(ids));
    }

    [Test]
    [Category(FullRun.Only)]
    public async Task Sessions_are_taken_over_from_any_slot_renewed_and_ended([Values] RedisSessionMode mode)
    {
        string left = _keyPrefix + "left:";
        await using var old = await TakeoverFixture.StartOldAsync(_cluster.ConfigurationString, left);
        await using var app = await StartAppAsync(options => { options.Mode = mode; options.TakeOverSessions(left); });
        var redis = (await app.RedisAsync()).Multiplexer;
        int apart = 0;
        for (int i = 0; i < 20; i++)
        {
            using var browser = await TakeoverFixture.LeaveAsync(old);
            using var thief = browser.Twin();
            string id = SessionId.Of(TakeoverFixture.SessionKeyIn(browser));
            if (redis.HashSlot(TakeoverFixture.BlobKeyOf(left, browser)) != redis.HashSlot(KeyOf(id))) apart++;

            await browser.At(app).VisitAsync(session =>
            {
                if (i % 2 == 0) session.SetString("new", "1");
                else session.GetString("name");
            });
            await TakeoverFixture.CheckKeptAsync(browser);
            await browser.VisitAsync(context => i % 3 == 0 ? context.RenewSessionAsync() : context.AbandonSessionAsync());
            Assert.That(await thief.At(app).VisitAsync(session => session.Keys.Count()), Is.Zero);
            if (i % 3 == 0) await TakeoverFixture.CheckKeptAsync(browser);
        }

        Assert.That(apart, Is.GreaterThan(15));
        Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync(await _cluster.PrimariesAsync(), left + "*"), Is.Empty);
    }

    [Test]
    public async Task Sessions_spread_over_the_primaries_with_the_key_prefix([Values("", "app:")] string keyPrefix) =>
        Assert.That(await SpreadAsync(keyPrefix), Has.Length.EqualTo(3).And.All.GreaterThan(Sessions / 5));

    [Test]
    public async Task A_key_prefix_in_braces_puts_all_sessions_on_one_primary() =>
        Assert.That(await SpreadAsync("{app}:"), Is.EquivalentTo([Sessions, 0, 0]));

    [TestCase("", true)]
    [TestCase("app:", true)]
    [TestCase("{app}:", true)]
    [TestCase("{ä}:", true)]
    [TestCase("a{b}c:", true)]
    [TestCase("{{a}}:", true)]
    [TestCase("{a}{b:", true)]
    [TestCase("}{a}:", true)]
    [TestCase("{ }", true)]
    [TestCase("{}:", false)]
    [TestCase("x{}y:", false)]
    [TestCase("{}{a}:", false)]
    [TestCase("a}b:", false)]
    [TestCase("a{b:", false)]
    [TestCase("}{:", false)]
    public async Task A_key_prefix_starts_if_a_session_and_what_is_parked_of_it_are_in_one_slot(string prefix, bool starts)
    {
        var node = (await _cluster.PrimariesAsync())[0];
        var keys = SessionHashLayout.WithParked(SessionHashLayout.KeyOf(prefix, SessionId.Of("x")));
        int[] slots = await Task.WhenAll(keys.Select(async key => (await node.AskAsync("CLUSTER", "KEYSLOT", key.ToString())).Number));
        Assert.That(slots[0] == slots[1], Is.EqualTo(starts));
        Assert.That(SessionHashLayout.IsParkedInSlot(prefix), Is.EqualTo(starts));
    }

    /// <summary>How many of the new sessions each primary holds.</summary>
    private async Task<int[]> SpreadAsync(string keyPrefix)
    {
        await using var app = await StartAppAsync(options => options.KeyPrefix = keyPrefix);
        await BeginAsync(app, Sessions);
        var primaries = await _cluster.PrimariesAsync();
        var keys = await Task.WhenAll(primaries.Select(primary => primary.AskAsync("KEYS", $"{keyPrefix}sessions:*")));
        return [.. keys.Select(found => found.Items!.Count)];
    }

    private Task<TestApp> StartAppAsync(Action<RedisHashSessionOptions> configure) =>
        TestApp.StartAsync(_cluster.ConfigurationString, options =>
        {
            (options.KeyPrefix, options.IdleTimeout) = (_keyPrefix, Idle);
            (options.FailureMode, options.RefreshInterval) = (FailureMode.Throw, TimeSpan.Zero);
            configure(options);
        });

    /// <summary>So many sessions, each of a visitor of its own; returns their ids.</summary>
    private static async Task<string[]> BeginAsync(TestApp app, int count)
    {
        string[] ids = new string[count];
        for (int i = 0; i < count; i++)
        {
            using var browser = await app.NewVisitorAsync();
            ids[i] = browser.SessionId;
        }

        return ids;
    }

    private static bool IsOutage(Exception? error) => error is RedisException or OperationCanceledException;

    private static Task<string[]> KeysAsync(Browser browser) => browser.VisitAsync(session => session.Keys.ToArray());

    /// <summary>A request gives the session as much time again as is expected.</summary>
    private async Task IsRenewedAsync(Browser browser, Action<ISession> use, TimeSpan expected)
    {
        string key = KeyOf(browser.SessionId);
        await AskAsync(key, "PEXPIRE", key, "60000");
        await browser.VisitAsync(use);
        await Assert.ThatAsync(() => TimeToLiveAsync(key), Is.EqualTo(expected).Within(TimeSpan.FromSeconds(30)).After(5000, 10));
    }

    private Task UntilGoneAsync(string key) => Assert.ThatAsync(async () => (await AskAsync(key, "EXISTS", key)).Number, Is.Zero.After(5000, 10));

    private static async Task<HashSet<string>> IdsPageByPageAsync(Func<string?, Task<SessionPage>> pageAfter)
    {
        var found = new HashSet<string>();
        string? next = null;
        do
        {
            var page = await pageAfter(next);
            found.UnionWith(page.Sessions.Select(session => session.Id));
            next = page.Next;
        }
        while (next is not null);
        return found;
    }

    private string KeyOf(string sessionId) => $"{_keyPrefix}sessions:{sessionId}";

    private async Task<RespReply> AskAsync(string key, params string[] command) => await (await _cluster.PrimaryOfAsync(key)).AskAsync(command);

    private async Task<TimeSpan> TimeToLiveAsync(string key) => TimeSpan.FromMilliseconds((await AskAsync(key, "PTTL", key)).Number);

    private static string Ago(int minutes) =>
        DateTimeOffset.UtcNow.AddMinutes(-minutes).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
}
