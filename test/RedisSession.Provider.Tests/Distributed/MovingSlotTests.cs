namespace RedisSession.Provider.Tests;

/// <summary>
/// Sessions while their slot moves to another primary. What is not there is then the other server's: a script that removed a key could not
/// touch it again, and what it has done is not taken back.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class MovingSlotTests(ServerKind kind) : OwningFixture
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10);

    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private readonly Dictionary<RedisSessionMode, TestApp> _apps = [];
    private RedisCluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAll()
    {
        _cluster = Owned.Add(await RedisCluster.StartAsync(kind, primaries: 2, hasReplicas: false));
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
            _apps[mode] = Owned.Add(await TestApp.StartAsync(_cluster.ConfigurationString, options =>
            {
                (options.Mode, options.KeyPrefix, options.FailureMode) = (mode, _keyPrefix, FailureMode.Throw);
                (options.IdleTimeout, options.AbsoluteTimeout, options.RefreshInterval) = (Idle, 2 * Idle, TimeSpan.Zero);
            }));
    }

    [TearDown]
    public async Task No_test_has_left_a_key_without_expiry() =>
        Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync(await _cluster.PrimariesAsync(), "*s:*"), Is.Empty);

    /// <summary>What a request does with a session that holds key=old, and what it holds then.</summary>
    public static IEnumerable<TestCaseData> Requests()
    {
        yield return Request("sets", "a=1 key=old", session => session.SetString("a", "1"));
        yield return Request("sets and removes", "a=1", session => { session.Remove("key"); session.SetString("a", "1"); });
        yield return Request("removes", "", session => session.Remove("key"));
        yield return Request("clears", "", session => session.Clear());
        yield return Request("clears and sets", "a=1 key=new", session =>
        {
            session.Clear();
            session.SetString("a", "1");
            session.SetString("key", "new");
        });
        yield return AsyncRequest("increments", "a=1 key=old", context => context.Session.IncrementAsync("a"));
        yield return AsyncRequest("takes", "", context => context.Session.TakeAsync("key"));
        yield return AsyncRequest("sets what is absent", "a=1 key=old", context => context.Session.TrySetValueAsync("a", 1));
        yield return AsyncRequest("updates", "a=1 key=old", context => context.Session.UpdateJsonAsync<int>("a", _ => 1));
        yield return AsyncRequest("takes the lock and sets", "a=1 key=old", async context =>
        {
            await using var held = await context.Session.LockAsync();
            context.Session.SetString("a", "1");
        });
        yield return AsyncRequest("takes the lock, clears and sets", "a=1", async context =>
        {
            await using var held = await context.Session.LockAsync();
            context.Session.Clear();
            context.Session.SetString("a", "1");
        });
        yield return Request("reads", "key=old", session => session.GetString("key"));

        static TestCaseData Request(string name, string then, Action<ISession> work) => AsyncRequest(name, then, context =>
        {
            work(context.Session);
            return Task.CompletedTask;
        });
        static TestCaseData AsyncRequest(string name, string then, Func<HttpContext, Task> work) =>
            new TestCaseData(then, work).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Requests))]
    public async Task A_request_finds_its_session_wherever_it_is(string then, Func<HttpContext, Task> work)
    {
        foreach (var (app, hasMoved) in Everywhere())
        {
            using var browser = await app.NewVisitorAsync();
            string id = browser.SessionId;
            await WhileMovingAsync(KeyOf(id), hasMoved, async () =>
            {
                await browser.VisitAsync(work);
                Assert.That(await browser.ContentAsync(), Is.EqualTo(then));
            });
            Assert.That((await browser.ContentAsync(), browser.SessionId), Is.EqualTo((then, id)));
        }
    }

    /// <summary>More fields than fit into one command of a script.</summary>
    [Test]
    public async Task A_large_session_is_cleared_before_it_moves()
    {
        using var browser = await _apps[RedisSessionMode.Buffered].NewVisitorAsync("ann");
        string key = KeyOf(browser.SessionId);
        await browser.VisitAsync(session => { for (int i = 0; i < 9000; i++) session.SetInt32($"key{i}", i); });
        string[] ours = await OursAsync(key);
        await WhileMovingAsync(key, hasMoved: false, () => browser.VisitAsync(session =>
        {
            session.Clear();
            session.SetString("a", "1");
        }));
        Assert.That(await browser.ContentAsync(), Is.EqualTo("a=1"));
        Assert.That(await OursAsync(key), Is.EqualTo(ours), "its generation, its creation and its user");
    }

    [Test]
    public async Task A_session_past_its_absolute_timeout_begins_anew_wherever_it_was([Values] bool isRemoved)
    {
        foreach (var (app, hasMoved) in Everywhere())
        {
            using var browser = await app.NewVisitorAsync();
            string key = KeyOf(browser.SessionId);
            await AskAsync(key, "HSET", key, "@created", "1700000000000");
            await WhileMovingAsync(key, hasMoved, async () =>
            {
                if (isRemoved) await browser.VisitAsync(session => session.Remove("key"));
                else await browser.VisitAsync(session => session.SetString("a", "1"));
                Assert.That(await browser.ContentAsync(), Is.EqualTo(isRemoved ? "" : "a=1"));
            });
            Assert.That(await browser.ContentAsync(), Is.EqualTo(isRemoved ? "" : "a=1"));
        }
    }

    [Test]
    public async Task An_expired_tombstone_makes_way_wherever_it_is()
    {
        foreach (var (app, hasMoved) in Everywhere())
        {
            using var browser = await app.NewVisitorAsync();
            string key = KeyOf(browser.SessionId);
            await AskAsync(key, "HDEL", key, "@created", "key");
            await AskAsync(key, "HSET", key, "@gen", "~1700000000000:0", "@ended", "1");
            await WhileMovingAsync(key, hasMoved, () => browser.VisitAsync(session => session.SetString("a", "1")));
            Assert.That(await browser.ContentAsync(), Is.EqualTo("a=1"));
            Assert.That((await AskAsync(key, "HEXISTS", key, "@ended")).Number, Is.Zero);
        }
    }

    [Test]
    public async Task A_session_is_bound_wherever_it_is()
    {
        foreach (var (app, hasMoved) in Everywhere())
        {
            string user = Somebody.New();
            using var browser = await app.NewVisitorAsync();
            string id = browser.SessionId;
            await WhileMovingAsync(KeyOf(id), hasMoved, () => browser.VisitAsAsync(user, session => session.SetString("a", "1")));
            Assert.That(await app.Directory.IdsOfAsync(user), Is.EqualTo([id]));
        }
    }

    /// <summary>Where all of a list has expired, keeping a session in it must not let the list vanish on the way.</summary>
    [Test]
    public async Task A_session_is_listed_and_taken_off_wherever_the_list_is([Values] bool isAllExpired)
    {
        foreach (var (app, hasMoved) in Everywhere())
        {
            string user = Somebody.New(), list = SessionHashLayout.UserKeyOf(_keyPrefix, user).ToString();
            await AskAsync(list, "ZADD", list, "1", "expired", isAllExpired ? "2" : "99999999999999999", "other");
            await AskAsync(list, "PEXPIRE", list, "600000");
            var redis = new UserList(await app.RedisAsync(), list);
            await WhileMovingAsync(list, hasMoved, async () =>
            {
                string? stamp = await redis.KeepAsync("id", 600_000);
                Assert.That(stamp, Is.Not.Null);
                Assert.That(await redis.ReadAsync(), Is.EqualTo(isAllExpired ? (RedisValue[])["id"] : ["id", "other"]));
                Assert.That(await redis.KeepAsync("id", 600_000), Is.Null, "it was there");
                await redis.ForgetAsync("id", (await redis.StampOfAsync("id"))!);
            });
            Assert.That(await redis.ReadAsync(), Is.EqualTo(isAllExpired ? (RedisValue[])[] : ["other"]));
        }
    }

    /// <summary>Where it would be parked had its key been renewed, there is nothing: one more reason to ask for it only then.</summary>
    [Test]
    public async Task A_session_ends_wherever_it_is([Values("abandoned", "ended", "ended with all of its user")] string how)
    {
        foreach (var (app, hasMoved) in Everywhere())
        {
            string user = Somebody.New();
            using var browser = await app.NewVisitorAsync(user);
            string key = KeyOf(browser.SessionId);
            await WhileMovingAsync(key, hasMoved, async () =>
            {
                if (how == "abandoned") await browser.VisitAsync(context => context.AbandonSessionAsync());
                else if (how == "ended") Assert.That(await app.Directory.EndAsync(browser.SessionId), Is.True);
                else Assert.That(await app.Directory.EndAllForUserAsync(user), Is.EqualTo(1));
            });
            Assert.That((await AskAsync(key, "EXISTS", key)).Number, Is.Zero);
        }
    }

    /// <summary>What these scripts do a second time, or to a session that is there under all its keys.</summary>
    [Test]
    public async Task A_renewal_that_is_continued_or_undone_loses_nothing_wherever_its_keys_are(
        [Values] bool hasMoved, [Values("put back", "written again", "begun again", "begun again, field by field")] string what)
    {
        string start = $"{{{Guid.NewGuid():N}}}s:";
        RedisKey old = start + "old", parked = start + "parked", renewed = start + "new";
        await SetAsync(old, "@gen", "~99999999999999:1");
        await SetAsync(parked, "@gen", "g", "@created", "1", "a", "1");
        await SetAsync(renewed, "@gen", "h", "@created", "1", "a", "0", "removed since", "1");
        foreach (var node in await _cluster.PrimariesAsync())
            await node.AskAsync("ACL", "SETUSER", "poor", "on", ">password", "~*", "&*", "+@all", "-copy");
        await using var asPoor = await ConnectionMultiplexer.ConnectAsync($"{_cluster.ConfigurationString},user=poor,password=password");
        var redis = what.EndsWith("field", StringComparison.Ordinal)
            ? asPoor.GetDatabase()
            : await _apps[RedisSessionMode.Live].RedisAsync();
        await WhileMovingAsync(start, hasMoved, () => what switch
        {
            "put back" => RenewalScripts.Revive.RunAsync(redis, [old, parked], []),
            "written again" => RenewalScripts.Write.RunAsync(redis, renewed, ["60000", "0", "h", "", "1", "1", "a", "1", "0"]),
            _ => RenewalScripts.Begin.RunAsync(redis, [old, parked, renewed], ["60000", "0", "g", "h", "", ""]),
        });
        string key = (what == "put back" ? old : renewed).ToString();
        var answer = (await AskAsync(key, "HGETALL", key)).Items!.Select(item => item.Text!);
        var fields = answer.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.That(fields.Keys, Is.EquivalentTo(["@gen", "@created", "a"]));
        Assert.That((fields["@gen"], fields["a"]), Is.EqualTo((what == "put back" ? "g" : "h", "1")));

        async Task SetAsync(RedisKey at, params string[] values)
        {
            await AskAsync(at!, ["HSET", at!, .. values]);
            await AskAsync(at!, "PEXPIRE", at!, "60000");
        }
    }

    /// <summary>Every mode, before and after the keys of the slot have moved.</summary>
    private IEnumerable<(TestApp App, bool HasMoved)> Everywhere() =>
        from app in _apps.Values from hasMoved in (bool[])[false, true] select (app, hasMoved);

    private Task WhileMovingAsync(string key, bool hasMoved, Func<Task> work) =>
        hasMoved ? _cluster.MoveSlotAsync(key, work) : _cluster.MoveSlotAsync(key, workBefore: work);

    private async Task<string[]> OursAsync(string key) =>
        [.. (await AskAsync(key, "HMGET", key, "@gen", "@created", "@user", "@auto")).Items!.Select(item => item.Text ?? "")];

    private string KeyOf(string sessionId) => $"{_keyPrefix}sessions:{sessionId}";

    private async Task<RespReply> AskAsync(string key, params string[] command) =>
        await (await _cluster.PrimaryOfAsync(key)).AskAsync(command);
}
