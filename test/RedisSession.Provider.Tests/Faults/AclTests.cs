namespace RedisSession.Provider.Tests;

/// <summary>A Redis user with the rights that docs/operating.md names, and no more.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class AclTests(ServerKind kind)
{
    private const string Password = "password";

    /// <summary>What sessions send, directly or in scripts. Here and in the documentation the same: ClaimTests.</summary>
    private static readonly string[] Commands =
    [
        "@connection", "hget", "hmget", "hgetall", "hkeys", "hset", "hincrby", "hdel", "exists", "expire", "pexpire", "pttl", "unlink",
        "time", "eval", "evalsha", "zadd", "zrem", "zscore", "zremrangebyscore", "zrange",
    ];

    /// <summary>
    /// What RenewSessionAsync sends besides: the former two where the user may use them, so that Redis moves the data itself; the last one
    /// between slots of a cluster and with ProtectValues.
    /// </summary>
    private static readonly string[] RenewalCommands = ["copy", "rename", "hscan"];

    /// <summary>What the directory sends besides.</summary>
    private static readonly string[] DirectoryCommands = ["scan", "hlen", "memory|usage"];

    /// <summary>What applications with an ISessionLifecycle send besides, and where.</summary>
    internal static readonly string[] LifecycleRights =
    [
        "+get", "+set", "+setex", "+psetex", "+subscribe", "+unsubscribe",
        "~app:owners:*", "~app:claims:*", "~app:lifecycle*", "&__keyevent@0__:expired",
    ];

    /// <summary>What keys that expire by themselves need, on servers that have them.</summary>
    private static readonly string[] FieldExpiryCommands = ["hpexpire", "hpexpiretime", "hpexpireat"];

    // What a user of the name "sessions" is given.
    private static readonly string[] KeysAndNothingElse =
        ["sessions", "on", $">{Password}", "resetkeys", "~app:sessions:*", "~app:users:*", "resetchannels", "-@all"];

    /// <summary>What a server gives that lets no single keys expire.</summary>
    internal static IEnumerable<string> RightsWithoutFieldExpiry =>
        ["~app:sessions:*", "~app:users:*", .. ((string[])[.. Commands, .. RenewalCommands, .. DirectoryCommands]).Select(name => "+" + name)];

    /// <summary>All of it.</summary>
    internal static IEnumerable<string> Rights => [.. RightsWithoutFieldExpiry, .. FieldExpiryCommands.Select(name => "+" + name)];

    internal static bool HasFieldExpiryOn(ServerKind kind) => kind.HasFieldExpiry;

    private string[] AllCommands => [.. Commands, .. RenewalCommands, .. DirectoryCommands, .. HasFieldExpiry ? FieldExpiryCommands : []];

    private bool HasFieldExpiry => kind.HasFieldExpiry;

    [Test]
    public async Task Those_rights_are_enough_for_all_that_sessions_do([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        var browser = own.Browser;
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("a", "1");
            await context.Session.SetAsync("b", [2]);
        });
        await browser.VisitAsync(async context =>
        {
            Assert.That(await context.Session.GetStrAsync("a"), Is.EqualTo("1"));
            Assert.That(context.Session.Keys, Is.EquivalentTo(["a", "b"]));
            context.Session.Remove("b");
            await context.RenewSessionAsync("ann");
        });
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EqualTo(["a"]));
        await browser.VisitAsync(session => session.Clear());

        var directory = own.App.Directory;
        var session = await directory.FindByUserAsync("ann").SingleAsync();
        Assert.That(session.SizeInBytes, Is.Positive);
        Assert.That(await directory.CountAsync(), Is.EqualTo(1));
        Assert.That((await directory.ListAsync().SingleAsync()).Id, Is.EqualTo(session.Id));
        Assert.That((await directory.ListPageAsync()).Sessions.Single().Id, Is.EqualTo(session.Id));
        Assert.That((await directory.FindPageAsync(new() { IdStart = session.Id[..10] })).Sessions.Single().Id, Is.EqualTo(session.Id));
        Assert.That((await directory.FindPageAsync(new() { UserInAnyCase = "ANN" })).Sessions.Single().Id, Is.EqualTo(session.Id));
        Assert.That(await session.GetValuesAsync(), Is.Empty);
        Assert.That(await session.GetKeyExpiriesAsync(["a"]), Is.Empty);
        Assert.That(await directory.EndAsync(session.Id), Is.True);
        Assert.That(await directory.EndAllForUserAsync("ann"), Is.Zero);
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        AssertNothingRefused(own.App);
    }

    [Test]
    public async Task They_are_enough_for_atomic_changes_and_keys_that_expire([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        var browser = own.Browser;
        await browser.VisitAsync(async context =>
        {
            var session = context.Session;
            Assert.That(await session.IncrementAsync("count"), Is.EqualTo(1));
            Assert.That(await session.TrySetValueAsync("first", "mine"), Is.True);
            Assert.That(await session.UpdateJsonAsync<int[]>("list", list => [.. list ?? [], 1]), Is.EqualTo(new[] { 1 }));
            Assert.That((await session.TakeAsync("first")).Str, Is.EqualTo("mine"));
            if (HasFieldExpiry) await session.SetValueAsync("code", "123456", TimeSpan.FromMinutes(5));
            else Assert.That(() => session.SetValueAsync("code", "123456", TimeSpan.FromMinutes(5)), Throws.InstanceOf<NotSupportedException>());
        });
        await browser.VisitAsync(context => context.RenewSessionAsync());
        if (HasFieldExpiry) await AssertCodeExpiresAsync(own);
        Assert.That(
            await browser.VisitAsync(session => session.Keys.Order().ToArray()),
            Is.EqualTo((string[])[.. HasFieldExpiry ? ["code"] : (string[])[], "count", "list"]));
        AssertNothingRefused(own.App);
    }

    [Test]
    public async Task Without_the_right_to_let_keys_expire_no_key_is_set_that_would_stay([Values] RedisSessionMode mode)
    {
        if (!HasFieldExpiry) return; // it is said above what happens there
        await using var own = await StartAsync(mode, without: "hpexpire");
        await own.Browser.VisitAsync(async context =>
        {
            Assert.That(
                () => context.Session.SetValueAsync("code", "123456", TimeSpan.FromMinutes(5)),
                Throws.InstanceOf<RedisServerException>().With.Message.Contains("hpexpire"));
            Assert.That(await context.Session.IsNoneAsync("code"), Is.True);
        });
        Assert.That(await own.App.Directory.CountAsync(), Is.Zero);
    }

    /// <summary>With ProtectValues it is read and set, and its expiry with it.</summary>
    [Test]
    public async Task Without_a_right_to_expiries_nothing_is_added_to_an_encrypted_number_that_expires(
        [Values] RedisSessionMode mode, [Values("hpexpiretime", "hpexpireat")] string missing)
    {
        if (!HasFieldExpiry) return;
        await using var own = await OwnServerApp.StartAsync(kind, async server =>
        {
            await UseAclAsync(server, AllCommands.Except([missing]), []);
            return await StartAppAsync(server, mode, protect: true);
        });
        await own.Browser.VisitAsync(async context =>
        {
            await context.Session.SetValueAsync("code", 7, TimeSpan.FromMinutes(5));
            Assert.That(
                () => context.Session.IncrementAsync("code"), Throws.InstanceOf<RedisServerException>().With.Message.Contains(missing));
            Assert.That(await context.Session.GetIntAsync("code"), Is.EqualTo(7));
        });
        await AssertCodeExpiresAsync(own);
    }

    /// <summary>Without COPY the expiries have to be asked for; with it Redis copies them.</summary>
    [Test]
    public async Task Without_the_right_to_see_expiries_no_expiry_is_lost([Values] RedisSessionMode mode, [Values] bool mayCopy)
    {
        if (!HasFieldExpiry) return;
        await using var own = await StartAsync(mode, without: mayCopy ? ["hpexpiretime"] : ["hpexpiretime", "copy"]);
        await own.Browser.VisitAsync(async context =>
        {
            context.Session.SetString("a", "1");
            await context.Session.SetValueAsync("code", "123456", TimeSpan.FromMinutes(5));
        });
        await own.Browser.VisitAsync(async context =>
        {
            string id = context.Session.Id;
            await Assert.ThatAsync(() => context.RenewSessionAsync(), mayCopy
                ? Throws.Nothing : Throws.InstanceOf<RedisServerException>().With.Message.Contains("hpexpiretime"));
            Assert.That(context.Session.Id, mayCopy ? Is.Not.EqualTo(id) : Is.EqualTo(id));
        });
        await AssertCodeExpiresAsync(own);
        Assert.That(await own.Browser.GetStringAsync("a"), Is.EqualTo("1"));
    }

    /// <summary>Redis then moves the data in the script, field by field.</summary>
    [Test]
    public async Task Without_the_rights_to_copy_and_rename_a_session_gets_its_new_key_all_the_same(
        [Values] RedisSessionMode mode, [Values("copy", "rename", "copy rename")] string missing)
    {
        await using var own = await StartAsync(mode, without: missing.Split(' '));
        var browser = own.Browser;
        await browser.VisitAsync(async context =>
        {
            for (int i = 0; i < 5000; i++) context.Session.SetInt32($"key{i}", i);
            if (HasFieldExpiry) await context.Session.SetValueAsync("code", "123456", TimeSpan.FromMinutes(5));
        });
        using var old = browser.Twin();
        await browser.VisitAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            await old.VisitAsync(session => session.SetString("beside", "1"));
        });
        Assert.That(await browser.VisitAsync(session => session.Keys.Count()), Is.EqualTo(HasFieldExpiry ? 5002 : 5001));
        Assert.That(await old.VisitAsync(session => session.Keys.Count()), Is.Zero);
        if (HasFieldExpiry) await AssertCodeExpiresAsync(own);
        AssertNothingRefused(own.App);
    }

    [Test]
    public async Task They_are_enough_to_take_sessions_over_whose_keys_are_allowed_too([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var old = await TakeoverFixture.StartOldAsync(server.ConfigurationString, "shop:");
        using var renewed = await TakeoverFixture.LeaveAsync(old);
        using var abandoned = await TakeoverFixture.LeaveAsync(old);
        await UseAclAsync(server, AllCommands, ["~shop:*"]);
        await using var app = await StartAppAsync(server, mode, takeOver: "shop:");
        await TakeoverFixture.CheckKeptAsync(renewed.At(app));
        await renewed.VisitAsync(context => context.RenewSessionAsync());
        await abandoned.At(app).VisitAsync(_ => { });
        await abandoned.VisitAsync(context => context.AbandonSessionAsync());
        Assert.That(app.Logs.Of(SessionEvents.SessionTakenOver), Is.Not.Empty);
        AssertNothingRefused(app);
    }

    [Test]
    public async Task Keys_outside_the_prefix_are_out_of_reach()
    {
        await using var own = await StartAsync(RedisSessionMode.Buffered);
        await using var app = await StartAppAsync(own.Server, RedisSessionMode.Buffered, keyPrefix: "other:");
        await own.Browser.At(app).VisitAsync(session => Assert.That(
            async () => await session.SetAsync("a", [1]), Throws.InstanceOf<RedisServerException>().With.Message.Contains("NOPERM")));
    }

    [Test]
    public async Task Handlers_are_told_of_everything_with_the_rights_for_that()
    {
        var events = new RecordedEvents();
        await using var own = await StartListeningAsync(events, LifecycleRights, options => options.IdleTimeout = TimeSpan.FromSeconds(1));
        await Task.FromResult(own.App).WhenListeningAsync();
        string id = await BeginAndRenewAsync(own.Browser);
        await events.WaitForAsync(2);
        Assert.That(events.All, Is.EqualTo(new object[] { new SessionCreated(id, "ann"), new SessionEnded(id, "ann", SessionEndReason.Expired) }));
        await own.App.StopAsync();
        AssertNothingRefused(own.App);
    }

    [Test]
    public async Task Without_those_rights_everything_else_works_and_one_warning_says_what_is_wrong()
    {
        var events = new RecordedEvents();
        await using var own = await StartListeningAsync(events, rights: [], options => options.IdleTimeout = TimeSpan.FromSeconds(1));
        string id = await BeginAndRenewAsync(own.Browser);
        Assert.That(await events.WaitForAsync(1), Is.EqualTo([new SessionCreated(id, "ann")]));

        // The connection may not be there yet at the first attempt; the right is missing at all others.
        int Refusals() => own.App.Logs.Of(SessionEvents.ListeningFailed).Count(log => log.Error!.Message.Contains("NOPERM"));
        await Until.TrueAsync("it is logged", () => Refusals() > 0);
        Assert.That(Refusals(), Is.EqualTo(1));
    }

    /// <summary>Whose a session is, is noted for them beside its commands, where nobody waits for the reply.</summary>
    [Test]
    public async Task Without_the_right_to_note_whose_a_session_is_one_warning_says_so()
    {
        await using var own = await StartListeningAsync(
            new RecordedEvents(), LifecycleRights.Except(["~app:owners:*"]), options => options.UserIdentifier = _ => "ann");
        await Task.FromResult(own.App).WhenListeningAsync();
        for (int i = 0; i < 3; i++) (await own.App.NewVisitorAsync()).Dispose();
        await Until.TrueAsync("it is logged", () => own.App.Logs.Of(SessionEvents.ListingFailed).Count > 0);
        var warnings = own.App.Logs.Of(SessionEvents.ListingFailed);
        Assert.That(warnings, Has.Count.EqualTo(1));
        Assert.That(warnings[0].Error!.Message, Does.Contain("NOPERM"));
    }

    private static void AssertNothingRefused(TestApp app) => Assert.That(app.Logs.All.Where(entry => entry.Error is RedisException), Is.Empty);

    private static Task<string> BeginAndRenewAsync(Browser browser) => browser.VisitAsync(async context =>
    {
        context.Session.SetString("a", "1");
        await context.RenewSessionAsync("ann");
        return context.Session.Id;
    });

    private static async Task AssertCodeExpiresAsync(OwnServerApp own)
    {
        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{own.Server.ConfigurationString},user=admin,password={Password}");
        long[] expiry = await admin.GetDatabase().HashFieldGetExpireDateTimeAsync($"app:{own.SessionKey}", ["code"]);
        Assert.That(expiry, Is.All.Positive, "it moves along");
    }

    private static async Task UseAclAsync(ServerProcess server, IEnumerable<string> commands, IEnumerable<string> moreRights)
    {
        await server.AskAsync(["ACL", "SETUSER", .. KeysAndNothingElse, .. commands.Select(name => "+" + name), .. moreRights]);
        await server.AskAsync("ACL", "SETUSER", "admin", "on", $">{Password}", "~*", "&*", "+@all");
        await server.AskAsync("ACL", "SETUSER", "default", "off");
    }

    private Task<OwnServerApp> StartAsync(RedisSessionMode mode, params string[] without) => OwnServerApp.StartAsync(kind, async server =>
    {
        await UseAclAsync(server, AllCommands.Except(without), []);
        return await StartAppAsync(server, mode);
    });

    private static Task<TestApp> StartAppAsync(
        ServerProcess server, RedisSessionMode mode, string keyPrefix = "app:", string? takeOver = null, bool protect = false) =>
        TestApp.StartAsync($"redis://sessions:{Password}@{server.ConfigurationString}", options =>
        {
            (options.KeyPrefix, options.Mode, options.FailureMode) = (keyPrefix, mode, FailureMode.Throw);
            (options.AbsoluteTimeout, options.ProtectValues) = (TimeSpan.FromHours(8), protect);
            if (takeOver is not null) options.TakeOverSessions(takeOver);
        });

    private Task<OwnServerApp> StartListeningAsync(
        ISessionLifecycle handler, IEnumerable<string> rights, Action<RedisHashSessionOptions> configure) => OwnServerApp.StartAsync(
        kind,
        async server =>
        {
            await UseAclAsync(server, AllCommands, rights);
            return await ListeningApp.StartAsync($"redis://sessions:{Password}@{server.ConfigurationString}", handler, options =>
            {
                (options.KeyPrefix, options.FailureMode) = ("app:", FailureMode.Throw);
                configure(options);
            });
        },
        "--notify-keyspace-events", "Ex");
}
