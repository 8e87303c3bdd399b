namespace RedisSession.Provider.Tests;

/// <summary>What becomes of a session that AddSession has left, when a request first meets it here.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class TakeoverTests(ServerKind kind) : TakeoverFixture(kind)
{
    [Test]
    public async Task Whatever_a_request_does_first_nothing_is_lost(
        [Values] RedisSessionMode mode, [ValueSource(typeof(FirstAccess), nameof(FirstAccess.All))] FirstAccess first)
    {
        using var browser = await LeaveAsync();
        string cookie = browser.SessionCookie!.Value;
        await browser.At(Apps[mode]).VisitAsync(first.Work);
        await Until.TrueAsync("it is taken over", () => Redis.KeyExistsAsync(HashKeyOf(browser)));
        if (!first.Name.Contains("renewal")) Assert.That(browser.SessionCookie!.Value, Is.EqualTo(cookie), "the cookie stays");

        await CheckKeptAsync(browser, first.Removes);
        if (first.Removes.Length > 0) Assert.That(await browser.VisitAsync(session => session.GetString("name")), Is.Not.EqualTo("Ann"));
        if (first.Adds) Assert.That(await KeysAsync(browser), Has.Some.StartsWith("new"), "its own change is there too");
    }

    [Test]
    public async Task Clearing_it_first_clears_it([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        await browser.At(Apps[mode]).VisitAsync(session =>
        {
            session.Clear();
            session.SetString("new", "1");
        });
        Assert.That(await KeysAsync(browser), Is.EqualTo(["new"]));
        await browser.VisitAsync(session => session.Clear());
        Assert.That(await KeysAsync(browser), Is.Empty, "and what was left does not come back");
    }

    [Test]
    public async Task It_has_its_idle_timeout_again_and_what_is_left_keeps_its_own([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        var left = TimeSpan.FromMinutes(3);
        await Redis.KeyExpireAsync(BlobKeyOf(browser), left);
        await browser.At(Apps[mode]).VisitAsync(session => session.GetString("name"));
        Assert.That(await Redis.KeyTimeToLiveAsync(HashKeyOf(browser)), Is.EqualTo(TimeSpan.FromMinutes(20)).Within(TimeSpan.FromMinutes(1)));
        Assert.That(await Redis.KeyTimeToLiveAsync(BlobKeyOf(browser)), Is.LessThanOrEqualTo(left));
    }

    [Test]
    public async Task It_is_logged_and_is_no_expired_session([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        await browser.At(app).VisitAsync(session => session.GetString("name"));
        string id = await browser.VisitAsync(session => session.Id);
        Assert.That(app.Logs.Of(SessionEvents.SessionTakenOver).Single().Message, Does.Contain(id).And.Contains("5 keys"));
        Assert.That(app.Logs.Of(SessionEvents.AccessingExpiredSession).Concat(app.Logs.Of(SessionEvents.SessionStarted)), Is.Empty);
    }

    [Test]
    public async Task One_that_is_nowhere_is_an_expired_session([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        await Redis.KeyDeleteAsync(BlobKeyOf(browser));
        await browser.At(app).VisitAsync(async context =>
        {
            Assert.That(context.Session.GetString("name"), Is.Null);
            Assert.That(await context.Session.GetIntAsync("count"), Is.Zero);
        });
        Assert.That(app.Logs.Of(SessionEvents.AccessingExpiredSession), Has.Count.EqualTo(1));
        Assert.That(app.Logs.Of(SessionEvents.SessionTakenOver), Is.Empty);

        await browser.VisitAsync(session => session.SetString("new", "1"));
        Assert.That(await KeysAsync(browser), Is.EqualTo(["new"]));
    }

    [Test]
    public async Task Keys_and_values_of_any_kind_come_along([Values] RedisSessionMode mode)
    {
        var content = new Dictionary<string, byte[]>
        {
            [""] = [1],
            ["@gen"] = [2],
            ["@@created"] = [3],
            [new('k', ushort.MaxValue)] = [4],
            ["ключ \0 😀"] = [],
            ["large"] = new byte[1_000_000],
        };
        for (int i = 0; i < 9_000; i++) content[$"key{i}"] = BitConverter.GetBytes(i); // more than one command in a script can take
        using var browser = Old.NewBrowser();
        await browser.VisitAsync(session =>
        {
            foreach (var (key, value) in content) session.Set(key, value);
        });
        var found = await browser.At(Apps[mode]).VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            return context.Session.Keys.ToDictionary(key => key, key => context.Session.Get(key)!);
        });
        Assert.That(found.Keys, Is.EquivalentTo(content.Keys));
        Assert.That(content.Where(one => !found[one.Key].AsSpan().SequenceEqual(one.Value)), Is.Empty);
        Assert.That((await Redis.HashGetAsync(HashKeyOf(browser), "@gen")).ToString(), Has.Length.EqualTo(SessionGeneration.Create().Length));
    }

    [Test]
    public async Task An_empty_session_is_taken_over_too([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        await browser.VisitAsync(session => session.Clear());
        Assert.That(await KeysAsync(browser.At(Apps[mode])), Is.Empty);
        Assert.That(await Redis.KeyExistsAsync(HashKeyOf(browser)), Is.True);
    }

    [Test]
    public async Task A_hash_that_is_there_is_the_session([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        await browser.At(Apps[mode]).VisitAsync(session => session.SetString("name", "Bea"));
        await Redis.HashDeleteAsync(BlobKeyOf(browser), "taken");
        await browser.VisitAsync(session => Assert.That(session.GetString("name"), Is.EqualTo("Bea")));
    }

    /// <summary>Made by a program, without our fields.</summary>
    [Test]
    public async Task A_hash_that_was_made_by_hand_is_not_written_over([Values] RedisSessionMode mode, [Values] bool reads)
    {
        using var browser = await LeaveAsync();
        await Redis.HashSetAsync(HashKeyOf(browser), "hand", "made");
        await Redis.KeyExpireAsync(HashKeyOf(browser), TimeSpan.FromMinutes(1));
        await browser.At(Apps[mode]).VisitAsync(session =>
        {
            if (reads) Assert.That(session.GetString("hand"), Is.EqualTo("made"));
            session.SetString("new", "1");
        });
        Assert.That(await KeysAsync(browser), Is.EqualTo(["hand", "new"]));
    }

    [Test]
    public async Task The_absolute_timeout_begins_when_it_is_taken_over([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode, options => options.AbsoluteTimeout = TimeSpan.FromMinutes(5));
        using var browser = await LeaveAsync();
        await browser.At(app).VisitAsync(_ => { }); // also by a request that does not touch it, whose renewal is a script then
        await Until.TrueAsync("it is taken over", () => Redis.KeyExistsAsync(HashKeyOf(browser)));
        Assert.That(await Redis.KeyTimeToLiveAsync(HashKeyOf(browser)), Is.EqualTo(TimeSpan.FromMinutes(5)).Within(TimeSpan.FromMinutes(1)));
        long created = (long)await Redis.HashGetAsync(HashKeyOf(browser), "@created");
        Assert.That(DateTimeOffset.FromUnixTimeMilliseconds(created), Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public async Task Values_are_protected_when_they_are_taken_over([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode, options => options.ProtectValues = true);
        using var browser = await LeaveAsync();
        await CheckKeptAsync(browser.At(app));
        var stored = await Redis.HashGetAsync(HashKeyOf(browser), ["name", "count", "bytes", "empty", "@@name"]);
        foreach (byte[]? value in stored) Assert.That(value.AsSpan(0, 4).ToArray(), Is.EqualTo("\0dp1"u8.ToArray()));
    }

    [Test]
    public async Task It_is_in_the_list_of_who_is_signed_in([Values] RedisSessionMode mode, [Values] bool writes)
    {
        using var browser = await LeaveAsync();
        string user = Guid.NewGuid().ToString();
        await browser.At(Apps[mode]).VisitAsAsync(user, session => Touch(session, writes));
        string id = await browser.VisitAsync(session => session.Id);
        Assert.That((await Apps[mode].Directory.FindByUserAsync(user).ToListAsync()).Select(session => session.Id), Is.EqualTo([id]));
    }

    [Test]
    public async Task Without_the_option_nothing_is_taken_over([Values] RedisSessionMode mode)
    {
        await using var app = await Stack.StartAsync(options => options.Mode = mode);
        using var browser = await LeaveAsync();
        Assert.That(await KeysAsync(browser.At(app)), Is.Empty);
    }

    [Test]
    public async Task A_cache_without_an_instance_name_is_meant_by_none([Values(null, "")] string? instanceName)
    {
        await using var old = await StartOldAsync((await Stack.ServerAsync()).ConfigurationString, instanceName: null);
        await using var app = await Stack.StartAsync(options => options.TakeOverSessions(instanceName));
        using var browser = await LeaveAsync(old);
        await CheckKeptAsync(browser.At(app));
    }

    [Test]
    public async Task One_by_one_in_each_mode_after_the_other_it_is_taken_over_once()
    {
        using var browser = await LeaveAsync();
        await browser.At(Apps[RedisSessionMode.Live]).VisitAsync(session => session.SetString("name", "Bea"));
        await browser.At(Apps[RedisSessionMode.Buffered]).VisitAsync(session => Assert.That(session.GetString("name"), Is.EqualTo("Bea")));
    }

    private static IEnumerable<TestCaseData> Blobs() =>
        from mode in Enum.GetValues<RedisSessionMode>()
        from blob in new (string Name, Func<byte[], byte[]> Change)[]
        {
            ("empty", _ => []),
            ("cut off", blob => blob[..^3]),
            ("cut off in its head", blob => blob[..10]),
            ("of another revision", blob => [1, .. blob[1..]]),
            ("longer than it says", blob => [.. blob, 0]),
            ("with a length that is not there", blob => [.. blob[..20], 0xff, 0xff, .. blob[22..]]),
            ("text", _ => "hello"u8.ToArray()),
            ("claiming millions of keys", blob => [blob[0], 0xff, 0xff, 0xff, .. blob[4..]]),
        }
        select new TestCaseData(mode, blob.Change).SetArgDisplayNames($"{mode}", blob.Name);

    /// <summary>Where there is no session but something else: an empty session and one entry in the log, never an exception.</summary>
    [TestCaseSource(nameof(Blobs))]
    public async Task A_blob_that_is(RedisSessionMode mode, Func<byte[], byte[]> change)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        byte[] blob = (byte[])(await Redis.HashGetAsync(BlobKeyOf(browser), "data"))!;
        await Redis.HashSetAsync(BlobKeyOf(browser), "data", change(blob));
        await CheckBeginsEmptyAsync(browser.At(app), app);
        Assert.That((byte[]?)await Redis.HashGetAsync(BlobKeyOf(browser), "data"), Is.EqualTo(change(blob)), "who can read it still can");
    }

    [Test]
    public async Task A_key_that_is_no_hash_begins_an_empty_session([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        await Redis.KeyDeleteAsync(BlobKeyOf(browser));
        await Redis.StringSetAsync(BlobKeyOf(browser), "something else", TimeSpan.FromMinutes(1));
        await CheckBeginsEmptyAsync(browser.At(app), app);
        await browser.VisitAsync(context => context.RenewSessionAsync());
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        Assert.That(app.Logs.All.Where(entry => entry.Level > LogLevel.Warning), Is.Empty);
    }

    [Test]
    public async Task A_hash_without_data_is_no_session([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        await Redis.HashDeleteAsync(BlobKeyOf(browser), "data");
        Assert.That(await KeysAsync(browser.At(app)), Is.Empty);
        Assert.That(app.Logs.Of(SessionEvents.StockSessionUnreadable), Is.Empty);
        Assert.That(app.Logs.Of(SessionEvents.AccessingExpiredSession), Has.Count.EqualTo(1));
    }

    private async Task CheckBeginsEmptyAsync(Browser browser, TestApp app)
    {
        string id = await browser.VisitAsync(async context =>
        {
            var session = context.Session;
            Assert.That(await session.GetStrAsync("name"), Is.Empty);
            Assert.That(session.Keys, Is.Empty);
            await session.SetValueAsync("new", 1);
            return session.Id;
        });
        await browser.VisitAsync(session => Assert.That((session.GetInt("new"), session.Keys.Count()), Is.EqualTo((1, 1))));
        var logged = app.Logs.Of(SessionEvents.StockSessionUnreadable).Single();
        Assert.That((logged.Level, logged.Error), Is.EqualTo((LogLevel.Warning, (Exception?)null)));
        Assert.That(logged.Message, Does.Contain(id).And.Not.Contain(SessionKeyIn(browser)));

        // A blob that is passed over is not logged, or looked at, again.
        await Redis.KeyDeleteAsync(HashKeyOf(browser));
        if (await Redis.KeyTypeAsync(BlobKeyOf(browser)) != RedisType.Hash) return;
        await browser.VisitAsync(session => Assert.That(session.Keys, Is.Empty));
        Assert.That(app.Logs.Of(SessionEvents.StockSessionUnreadable), Has.Count.EqualTo(1));
    }
}
