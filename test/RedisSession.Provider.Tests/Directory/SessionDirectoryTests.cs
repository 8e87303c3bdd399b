namespace RedisSession.Provider.Tests;

/// <summary>Sessions seen from outside, and ended.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class SessionDirectoryTests(ServerKind kind) : BothModesFixture(kind)
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10);

    protected override void Configure(RedisHashSessionOptions options) => options.IdleTimeout = Idle;

    [Test]
    public async Task A_session_is_shown_as_it_is()
    {
        string user = Somebody.New();
        using var browser = App.NewBrowser();
        await browser.VisitAsAsync(user, session =>
        {
            session.SetString("a", "1");
            session.SetString("@odd", "2");
            session.Set("large", new byte[10_000]);
        });
        string id = browser.SessionId;
        var now = DateTimeOffset.UtcNow;
        var session = (await Directory.GetAsync(id))!;
        Assert.That((session.Id, session.User, session.KeyCount), Is.EqualTo((id, user, 3L)));
        Assert.That(session.Created, Is.EqualTo(now).Within(TimeSpan.FromMinutes(1)));
        Assert.That(session.Expires, Is.EqualTo(now + Idle).Within(TimeSpan.FromMinutes(1)));
        Assert.That(session.SizeInBytes, Is.InRange(10_000, 50_000));

        var values = await session.GetValuesAsync();
        Assert.That(values.Keys, Is.EquivalentTo(["a", "@odd", "large"]));
        Assert.That((values["a"].Int, values["@odd"].Str), Is.EqualTo((1, "2")));

        // Looking does not keep it alive.
        await Redis.KeyExpireAsync(Stack.KeyOf(id), TimeSpan.FromMinutes(1));
        session = (await Directory.GetAsync(id))!;
        await session.GetValuesAsync();
        Assert.That(await Redis.KeyTimeToLiveAsync(Stack.KeyOf(id)), Is.LessThanOrEqualTo(TimeSpan.FromMinutes(1)));
        Assert.That(session.Expires, Is.EqualTo(now + TimeSpan.FromMinutes(1)).Within(TimeSpan.FromSeconds(30)));
    }

    [Test]
    public async Task When_it_was_last_used_is_told_by_what_is_left_of_its_time()
    {
        using var browser = await NewVisitorAsync();
        var key = KeyOf(browser);
        Assert.That(await LastUsedAsync(), Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromSeconds(30)));
        await Redis.HashSetAsync(key, "@created", DateTimeOffset.UtcNow.AddHours(-1).ToUnixTimeMilliseconds());
        await Redis.KeyExpireAsync(key, TimeSpan.FromMinutes(3));
        var used = DateTimeOffset.UtcNow - Idle + TimeSpan.FromMinutes(3);
        Assert.That(await LastUsedAsync(), Is.EqualTo(used).Within(TimeSpan.FromSeconds(30)));
        await Redis.KeyPersistAsync(key);
        Assert.That(await LastUsedAsync(), Is.Null);
        await Redis.KeyDeleteAsync(key);

        async Task<DateTimeOffset?> LastUsedAsync() => (await Directory.GetAsync(browser.SessionId))!.LastUsed;
    }

    [Test]
    public async Task Keys_that_expire_by_themselves_are_told_with_their_time()
    {
        using var browser = await NewVisitorAsync();
        bool isSupported = Stack.Server.HasFieldExpiry;
        if (isSupported) await browser.VisitAsync(context => context.Session.SetValueAsync("@code", "123456", TimeSpan.FromMinutes(5)));
        var session = (await Directory.GetAsync(browser.SessionId))!;
        var expiries = await session.GetKeyExpiriesAsync(["key", "@code", "no such key"]);
        Assert.That(expiries.Keys, Is.EqualTo(isSupported ? (string[])["@code"] : []));
        if (isSupported) Assert.That(expiries["@code"], Is.EqualTo(DateTimeOffset.UtcNow.AddMinutes(5)).Within(TimeSpan.FromMinutes(1)));

        Assert.That(await session.GetKeyExpiriesAsync([]), Is.Empty);
        Assert.That(() => session.GetKeyExpiriesAsync(null!), Throws.ArgumentNullException);
        await Directory.EndAsync(browser.SessionId);
        Assert.That(await session.GetKeyExpiriesAsync(["@code"]), Is.Empty);
        Assert.That(await new SessionInfo { Id = "x" }.GetKeyExpiriesAsync(["key"]), Is.Empty);
    }

    [Test]
    public async Task A_session_that_nobody_has_filled_or_bound_is_shown_too()
    {
        using var browser = await NewVisitorAsync();
        await browser.VisitAsync(session => session.Clear());
        var session = (await Directory.GetAsync(browser.SessionId))!;
        Assert.That((session.User, session.KeyCount), Is.EqualTo(((string?)null, 0L)));
        Assert.That(await session.GetValuesAsync(), Is.Empty);
    }

    [Test]
    public async Task What_others_have_done_to_a_hash_is_borne()
    {
        using var browser = await NewVisitorAsync();
        var key = KeyOf(browser);
        await Redis.HashSetAsync(key, [new("@created", "yesterday"), new("key", new byte[] { 0xFF })]);
        await Redis.KeyPersistAsync(key);
        var session = (await Directory.GetAsync(browser.SessionId))!;
        Assert.That((session.Created, session.Expires), Is.EqualTo((DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue)));
        await Redis.HashSetAsync(key, "@created", long.MaxValue);
        Assert.That((await Directory.GetAsync(browser.SessionId))!.Created, Is.EqualTo(DateTimeOffset.UnixEpoch));
        await Redis.KeyDeleteAsync(key);
    }

    [Test]
    public async Task A_hash_that_another_program_has_made_is_a_session_that_is_shown_and_ended()
    {
        string id = NewId();
        await Redis.HashSetAsync(Stack.KeyOf(id), [new("name", "Ann"), new("visits", "3")]);
        await Redis.KeyExpireAsync(Stack.KeyOf(id), Idle);
        var session = (await Directory.GetAsync(id))!;
        Assert.That((session.Id, session.User, session.KeyCount), Is.EqualTo((id, (string?)null, 2L)));
        Assert.That(session.Created, Is.EqualTo(DateTimeOffset.UnixEpoch));
        Assert.That(session.Expires, Is.EqualTo(DateTimeOffset.UtcNow + Idle).Within(TimeSpan.FromMinutes(1)));

        var values = await session.GetValuesAsync();
        Assert.That((values["name"].Str, values["visits"].Int), Is.EqualTo(("Ann", 3)));
        Assert.That(await Directory.EndAsync(id), Is.True);
        Assert.That(await Directory.EndAsync(id), Is.False);
        Assert.That(await Directory.GetAsync(id), Is.Null);
        Assert.That(await session.GetValuesAsync(), Is.Empty);
    }

    /// <summary>Keys whose end is no id, such as of an application whose prefix is below ours, and keys that are no hash.</summary>
    [Test]
    public async Task What_is_no_session_is_neither_shown_nor_ended()
    {
        string[] hashes = ["x", $"other:sessions:{NewId()}"], texts = ["text", NewId()];
        foreach (string id in hashes) await Redis.MakeSessionAsync(Stack.KeyOf(id), new("@gen", "12345678"), new("@user", "ann"));
        foreach (string id in texts) await Redis.StringSetAsync(Stack.KeyOf(id), "no hash", Idle);
        foreach (string id in hashes.Concat(texts))
        {
            Assert.That(await Directory.GetAsync(id), Is.Null);
            Assert.That(await Directory.EndAsync(id), Is.False);
            Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(id)), Is.True, id);
        }
    }

    [Test]
    public async Task What_somebody_has_written_into_a_users_list_is_neither_shown_nor_ended()
    {
        string user = Somebody.New(), strange = $"strange{Guid.NewGuid():N}";
        using var browser = await NewVisitorAsync(user);
        await Redis.MakeSessionAsync(Stack.KeyOf(strange), new("@gen", "12345678"), new("@user", user));
        Assert.That(await Stack.UserListAsync(user), Is.EqualTo([browser.SessionId]));
        await Redis.SortedSetAddAsync(Stack.UserKeyOf(user), strange, double.MaxValue);

        Assert.That(await Directory.IdsOfAsync(user), Is.EqualTo([browser.SessionId]));
        Assert.That(await Directory.EndAllForUserAsync(user), Is.EqualTo(1));
        Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(strange)), Is.True);
    }

    /// <summary>Looking while sessions begin and end, never half of one shows.</summary>
    [Test]
    public async Task A_session_that_begins_or_ends_meanwhile_is_shown_whole_or_not_at_all()
    {
        string id = NewId();
        var hash = new SessionHash(Redis, Stack.KeyOf(id));
        using var over = new CancellationTokenSource();
        var living = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                await Redis.MakeSessionAsync(Stack.KeyOf(id), new("@gen", "g"), new("@created", "1795530887267"), new("a", "1"));
                await hash.EndAsync();
            }
        });
        for (int i = 0; i < 300; i++)
        {
            var session = await Directory.GetAsync(id);
            if (session is not null) Assert.That((session.KeyCount, session.Created), Is.EqualTo((1L, Moment)), $"look {i}");
        }

        await over.CancelAsync();
        await living;
    }

    private static readonly DateTimeOffset Moment = DateTimeOffset.FromUnixTimeMilliseconds(1795530887267);

    [Test]
    public async Task A_key_that_is_not_there_is_an_absent_value([Values] bool isGone)
    {
        using var browser = await NewVisitorAsync();
        var session = (await Directory.GetAsync(browser.SessionId))!;
        if (isGone) await Directory.EndAsync(browser.SessionId);
        var values = await session.GetValuesAsync();
        Assert.That((values["device"].None, values["device"].Str, values["device"].Int), Is.EqualTo((true, "", 0)));
        Assert.That(values["half a pair: \uD800"].None, Is.True);
        Assert.That((values.ContainsKey("device"), values.TryGetValue("device", out var none)), Is.EqualTo((false, false)));
        Assert.That(none.None, Is.True);
        Assert.That(values.GetValueOrDefault("device").None, Is.True);
        Assert.That(values.Keys, Is.EqualTo(isGone ? Array.Empty<string>() : ["key"]));
        Assert.That(values.Select(pair => pair.Value.Str), Is.EqualTo(isGone ? Array.Empty<string>() : ["old"]));
        Assert.That(values["key"].None, Is.EqualTo(isGone));
        Assert.That((values.Count, values.ContainsKey("key")), Is.EqualTo((isGone ? 0 : 1, !isGone)));
        Assert.That(() => values[null!], ThrowsNull.Of("key"));
    }

    [Test]
    public async Task What_the_directory_has_not_made_has_no_values_and_throws_neither() =>
        Assert.That((await new SessionInfo { Id = "of a test" }.GetValuesAsync())["device"].None, Is.True);

    [Test]
    public async Task Values_of_a_session_that_has_ended_or_lives_anew_are_none_of_its_own()
    {
        using var browser = await NewVisitorAsync();
        var session = (await Directory.GetAsync(browser.SessionId))!;
        await Redis.KeyDeleteAsync(KeyOf(browser));
        Assert.That(await session.GetValuesAsync(), Is.Empty);
        await browser.VisitAsync(anew => anew.SetString("key", "another's"));
        Assert.That(await session.GetValuesAsync(), Is.Empty);
    }

    [Test]
    public async Task Protected_values_are_shown_decrypted()
    {
        await using var app = await Stack.StartAsync(options => options.ProtectValues = true);
        using var browser = await app.NewVisitorAsync();
        var session = (await app.Directory.GetAsync(browser.SessionId))!;
        Assert.That((await session.GetValuesAsync())["key"].Str, Is.EqualTo("old"));
        Assert.That((string?)await Redis.HashGetAsync(KeyOf(browser), "key"), Is.Not.EqualTo("old"));
    }

    [Test]
    public async Task An_id_that_no_session_has_is_told_by_null_and_false()
    {
        foreach (string id in (string[])["x", "*", "../..", "😀", SessionId.Of("no session")])
        {
            Assert.That(await Directory.GetAsync(id), Is.Null);
            Assert.That(await Directory.EndAsync(id), Is.False);
        }

        Assert.That(await Directory.FindByUserAsync(Somebody.New()).CountAsync(), Is.Zero);
        Assert.That(await Directory.EndAllForUserAsync(Somebody.New()), Is.Zero);
    }

    [Test]
    public void What_can_be_no_id_and_no_user_is_refused_at_once([Values(null, "")] string? nothing)
    {
        Assert.That(() => Directory.GetAsync(nothing!), Refused("id"));
        Assert.That(() => Directory.EndAsync(nothing!), Refused("id"));
        Assert.That(() => Directory.FindByUserAsync(nothing!), Refused("user"));
        Assert.That(() => Directory.EndAllForUserAsync(nothing!), Refused("user"));
        if (nothing is not null) Assert.That(() => Directory.EndAllForUserAsync("ann", nothing), Refused("exceptId"));

        static NUnit.Framework.Constraints.IResolveConstraint Refused(string parameter) =>
            Throws.InstanceOf<ArgumentException>().With.Property(nameof(ArgumentException.ParamName)).EqualTo(parameter);
    }

    [Test]
    public void Who_has_cancelled_gets_nothing()
    {
        var cancelled = new CancellationToken(canceled: true);
        Assert.That(async () => await Directory.GetAsync("x", cancelled), IsCancelled);
        Assert.That(async () => await Directory.CountAsync(cancelled), IsCancelled);
        Assert.That(async () => await Directory.ListAsync(cancelled).CountAsync(), IsCancelled);
        Assert.That(async () => await Directory.ListAsync().CountAsync(cancelled), IsCancelled);
        Assert.That(async () => await Directory.FindByUserAsync("ann").CountAsync(cancelled), IsCancelled);
        Assert.That(async () => await Directory.EndAsync("x", cancelled), IsCancelled);
        Assert.That(async () => await Directory.EndAllForUserAsync("ann", null, cancelled), IsCancelled);
    }

    private static NUnit.Framework.Constraints.IResolveConstraint IsCancelled => Throws.InstanceOf<OperationCanceledException>();

    /// <summary>Beside them keys that only look like sessions; under a prefix in which nothing is to be taken for a pattern.</summary>
    [Test]
    public async Task Five_thousand_sessions_are_listed_each_and_nothing_else([Values("{0}", @"{0}a*b[c]?\:", "{0}[^x]é")] string format)
    {
        string prefix = string.Format(System.Globalization.CultureInfo.InvariantCulture, format, SessionStack.NewKeyPrefix());
        await using var app = await Stack.StartAsync(options => options.KeyPrefix = prefix);
        var ids = await MakeSessionsAsync(prefix, 5000);
        string look = prefix.Replace("a*b", "axb", StringComparison.Ordinal)
            .Replace("[c]", "c", StringComparison.Ordinal).Replace("[^x]", "y", StringComparison.Ordinal);
        if (look != prefix) await MakeSessionsAsync(look, 10);
        string wrongType = SessionId.Of("a string");
        await Redis.StringSetAsync($"{prefix}sessions:{wrongType}", "no hash", Idle);
        await Redis.StringSetAsync($"{prefix}sessions:notes", "no id", Idle);
        await Redis.MakeSessionAsync($"{prefix}sessions:", new HashEntry("a", "1"));
        await Redis.MakeSessionAsync($"{prefix}sessions:{wrongType}:more", new HashEntry("a", "1"));
        var listed = new List<string>();
        await foreach (var session in app.Directory.ListAsync())
        {
            Assert.That((session.User, session.KeyCount), Is.EqualTo(("ann", 1L)));
            listed.Add(session.Id);
        }

        Assert.That(listed.ToHashSet().SetEquals(ids), Is.True);
        Assert.That(listed, Has.Count.EqualTo(ids.Count), "each once, as nothing was resized meanwhile");

        // By their keys: what is under them is not looked at.
        Assert.That(await app.Directory.CountAsync(), Is.EqualTo(5000 + 1));
    }

    [Test]
    public async Task A_list_can_be_left_in_the_middle_and_begun_again()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await Stack.StartAsync(options => options.KeyPrefix = prefix);
        await MakeSessionsAsync(prefix, 1000);
        var list = app.Directory.ListAsync();
        Assert.That(await list.Take(3).CountAsync(), Is.EqualTo(3));
        Assert.That(await list.CountAsync(), Is.EqualTo(1000));
    }

    [Test]
    public async Task An_ended_session_is_gone_and_its_cookie_finds_nothing([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(user);
        string id = browser.SessionId;
        Assert.That(await Directory.EndAsync(id), Is.True);
        Assert.That(await Directory.EndAsync(id), Is.False);
        Assert.That(await Directory.GetAsync(id), Is.Null);
        Assert.That(await Directory.FindByUserAsync(user).CountAsync(), Is.Zero);
        Assert.That(await browser.ContentAsync(), Is.Empty);
        await Until.TrueAsync("the list is gone", async () => !await Redis.KeyExistsAsync(Stack.UserKeyOf(user)));
        var logged = App.Logs.Of(SessionEvents.SessionEnded);
        Assert.That(logged.Count(entry => entry.Message.Contains(id, StringComparison.Ordinal)), Is.EqualTo(1));
    }

    private static IEnumerable<TestCaseData> Writes()
    {
        TestCaseData Write(string name, Func<HttpContext, Task> write) => new TestCaseData(write).SetArgDisplayNames(name);
        yield return Write("commits", context => { context.Session.SetString("late", "1"); return context.Session.CommitAsync(); });
        yield return Write("sets asynchronously", context => context.Session.SetAsync("late", [1]));
        yield return Write("renews", context => context.RenewSessionAsync());
        yield return Write("renews and binds", context => context.RenewSessionAsync("ann"));
    }

    [TestCaseSource(nameof(Writes))]
    public async Task A_request_in_flight_does_not_bring_it_back_that(Func<HttpContext, Task> write)
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            string user = Somebody.New();
            using var browser = await Apps[mode].NewVisitorAsync(user);
            await browser.VisitAsync(async context =>
            {
                context.SignIn(user);
                Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("old"));
                Assert.That(await Directory.EndAsync(browser.SessionId), Is.True);
                Assert.That(async () => await write(context), Throws.InstanceOf<SessionEndedException>(), mode.ToString());
            });
            Assert.That(await Redis.KeyExistsAsync(KeyOf(browser)), Is.False);
            Assert.That(await Directory.FindByUserAsync(user).CountAsync(), Is.Zero);
        }
    }

    [Test]
    public async Task Nor_does_a_request_that_only_keeps_it_alive([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(user);
        await using var other = await Stack.StartAsync(options => options.Mode = mode); // it has to be bound there yet
        await browser.At(other).VisitAsync(async context =>
        {
            context.SignIn(user);
            Assert.That(await Directory.EndAsync(browser.SessionId), Is.True);
        });
        Assert.That(await browser.At(other).VisitAsAsync(user, session => session.GetString("key")), Is.Null);
        Assert.That(await Redis.KeyExistsAsync(KeyOf(browser)), Is.False);
    }

    /// <summary>Whichever comes first, the end or the renewal.</summary>
    [Test]
    public async Task A_session_that_is_renewed_while_all_of_its_user_end_ends()
    {
        for (int round = 0; round < 30; round++)
        {
            string user = Somebody.New();
            using var browser = await NewVisitorAsync(user);
            var renewing = browser.TryVisitAsync(async context => { for (int i = 0; i < 3; i++) await context.RenewSessionAsync(); });
            await Task.Delay(round % 5);
            int ended = await Directory.EndAllForUserAsync(user);
            bool isRenewed = await renewing;
            Assert.That(await Directory.FindByUserAsync(user).CountAsync(), Is.Zero, $"round {round}: ended {ended}, renewed: {isRenewed}");
        }
    }

    [Test]
    public async Task A_user_whose_session_is_renewed_again_and_again_is_found_all_the_time()
    {
        string user = Somebody.New();
        using var browser = await NewVisitorAsync(user);
        using var over = new CancellationTokenSource();
        var renewing = Task.Run(async () =>
        {
            for (int i = 0; i < 30; i++) await browser.RenewAsync();
            await over.CancelAsync();
        });
        int looks = 0;
        while (!over.IsCancellationRequested)
            Assert.That(await Directory.FindByUserAsync(user).CountAsync(), Is.AtLeast(1), $"look {++looks}");
        await renewing;
        Assert.That(await Directory.FindByUserAsync(user).CountAsync(), Is.EqualTo(1));
    }

    [Test]
    public async Task All_sessions_of_a_user_end_but_the_one_that_is_excepted_and_those_of_others()
    {
        string user = Somebody.New(), other = Somebody.New();
        var browsers = Enumerable.Range(0, 6).Select(_ => App.NewBrowser()).ToArray();
        string[] ids = await Task.WhenAll(browsers.Select((browser, i) => browser.NewSessionAsync(i == 5 ? other : user)));
        Assert.That(await Directory.EndAllForUserAsync(user, exceptId: ids[0]), Is.EqualTo(4));
        Assert.That(await Directory.IdsOfAsync(user), Is.EqualTo([ids[0]]));
        Assert.That(await Directory.IdsOfAsync(other), Is.EqualTo([ids[5]]));
        Assert.That(await Directory.EndAllForUserAsync(user), Is.EqualTo(1));
        foreach (var browser in browsers) browser.Dispose();
    }

    /// <summary>As where a password is changed. The session is there under two keys until the response starts.</summary>
    [Test]
    public async Task A_request_that_renews_its_key_ends_all_other_sessions_of_its_user_and_keeps_its_own(
        [Values] RedisSessionMode mode, [Values] bool namesOldId)
    {
        string user = Somebody.New();
        await using var app = await StartAsync(mode, options => options.FailureMode = FailureMode.Throw);
        using var browser = await app.NewVisitorAsync(user);
        using var elsewhere = await app.NewVisitorAsync(user);
        await browser.VisitAsync(async context =>
        {
            string oldId = context.Session.Id;
            await context.RenewSessionAsync(user);
            string kept = namesOldId ? oldId : context.Session.Id;
            Assert.That(await app.Directory.EndAllForUserAsync(user, exceptId: kept), Is.EqualTo(1));
        });
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
        Assert.That(await elsewhere.GetStringAsync("key"), Is.Null);
        Assert.That(await app.Directory.IdsOfAsync(user), Is.EqualTo([browser.SessionId]));
        await UntilForgottenAsync(app, browser.SessionId);
    }

    [Test]
    public async Task A_request_that_has_ended_all_other_sessions_keeps_its_own_though_its_renewal_is_undone([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(user);
        string newId = "";
        using var response = await browser.SendAsync(async context =>
        {
            await context.RenewSessionAsync(user);
            newId = context.Session.Id;
            Assert.That(await Apps[mode].Directory.EndAllForUserAsync(user, exceptId: newId), Is.Zero);
            throw new TimeZoneNotFoundException("Odd.");
        });
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
    }

    [Test]
    public async Task A_session_whose_key_is_renewed_is_found_once_in_its_process_and_as_both_in_others([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(user);
        using var elsewhere = await Apps[mode].NewVisitorAsync(user);
        string oldId = browser.SessionId;
        await browser.VisitAsync(async context =>
        {
            await context.RenewSessionAsync(user);
            string id = context.Session.Id;
            Assert.That(await Apps[mode].Directory.IdsOfAsync(user), Is.EquivalentTo([id, elsewhere.SessionId]));
            string[] others = await elsewhere.VisitAsync(async (HttpContext _) => await Apps[mode].Directory.IdsOfAsync(user));
            Assert.That(others, Is.EquivalentTo([id, elsewhere.SessionId]));

            // Who ends what he has found ends the session, whether that keeps its new key or its old one.
            var another = Apps[mode == RedisSessionMode.Live ? RedisSessionMode.Buffered : RedisSessionMode.Live];
            Assert.That(await another.Directory.IdsOfAsync(user), Is.EquivalentTo([id, oldId, elsewhere.SessionId]));
        });
        Assert.That(await Apps[mode].Directory.IdsOfAsync(user), Is.EquivalentTo([browser.SessionId, elsewhere.SessionId]));
    }

    /// <summary>A hundred sessions are described at once: its two keys are the hundredth and the next in the list.</summary>
    [Test]
    public async Task A_session_whose_key_is_renewed_is_found_once_among_hundreds_of_its_user([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(user);
        var others = await MakeSessionsAsync(Stack.KeyPrefix, 2 * 99, user);
        var list = new UserList(Redis, Stack.UserKeyOf(user));
        foreach (var (place, id) in others.Index()) await list.KeepAsync(id, place < 99 ? 600_000 : 100_000_000);
        await browser.VisitAsync(async context =>
        {
            await context.RenewSessionAsync(user);
            Assert.That(await Apps[mode].Directory.IdsOfAsync(user), Is.EquivalentTo([context.Session.Id, .. others]));
        });
    }

    [Test]
    public async Task A_session_that_was_found_under_its_new_id_ends_by_it(
        [Values] RedisSessionMode mode, [Values("before the response", "after it", "when it was undone")] string when)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(user);
        string newId = "";
        using var response = await browser.SendAsync(async context =>
        {
            await context.RenewSessionAsync(user);
            newId = context.Session.Id;
            if (when == "before the response") Assert.That(await Apps[mode].Directory.EndAsync(newId), Is.True);
            if (when == "when it was undone") throw new TimeZoneNotFoundException("Odd.");
        });
        if (when != "before the response") Assert.That(await Apps[mode].Directory.EndAsync(newId), Is.True);
        Assert.That(await browser.GetStringAsync("key"), Is.Null);
        Assert.That(await Apps[mode].Directory.IdsOfAsync(user), Is.Empty);
    }

    [Test]
    public async Task A_session_whose_key_is_renewed_ends_where_somebody_else_keeps_only_his_own([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(user);
        using var elsewhere = await Apps[mode].NewVisitorAsync(user);
        using var response = await browser.SendAsync(async context =>
        {
            await context.RenewSessionAsync(user);
            await elsewhere.VisitAsync(other => Apps[mode].Directory.EndAllForUserAsync(user, exceptId: other.Session.Id));
        });
        Assert.That(await browser.GetStringAsync("key"), Is.Null);
        Assert.That(await Apps[mode].Directory.IdsOfAsync(user), Is.EqualTo([elsewhere.SessionId]));
    }

    [Test]
    public async Task A_session_that_has_come_to_another_user_does_not_end_with_those_of_the_one_it_had()
    {
        string user = Somebody.New(), other = Somebody.New();
        using var browser = await NewVisitorAsync(user);

        // As if the list had not been told yet.
        await Redis.HashSetAsync(Stack.KeyOf(browser.SessionId), "@user", other);
        Assert.That(await Directory.FindByUserAsync(user).CountAsync(), Is.Zero);
        Assert.That(await Directory.EndAllForUserAsync(user), Is.Zero);
        Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(browser.SessionId)), Is.True);
    }

    [Test]
    public async Task Hundreds_of_sessions_of_one_user_are_found_and_ended()
    {
        string user = Somebody.New();
        var ids = await MakeSessionsAsync(Stack.KeyPrefix, 450, user);
        var list = new UserList(Redis, Stack.UserKeyOf(user));
        foreach (string id in ids) await list.KeepAsync(id, 600_000);
        Assert.That(ids.SetEquals(await Directory.IdsOfAsync(user)), Is.True);
        Assert.That(await Directory.EndAllForUserAsync(user), Is.EqualTo(450));
        Assert.That(await Directory.FindByUserAsync(user).CountAsync(), Is.Zero);
    }

    /// <summary>When its request is over, nothing says any more that a session was renewed.</summary>
    private static Task UntilForgottenAsync(TestApp app, string id) => Until.TrueAsync(
        "it is forgotten", () => Task.FromResult(app.Services.GetRequiredService<RenewalsUnderWay>().OldIdOf(id) is null));

    private static string NewId() => SessionId.Of(Guid.NewGuid().ToString());

    private Task<Browser> NewVisitorAsync(string? user = null) => App.NewVisitorAsync(user);

    /// <summary>As applications make them, but without one, and not listed.</summary>
    private async Task<HashSet<string>> MakeSessionsAsync(string prefix, int count, string user = "ann")
    {
        var ids = Enumerable.Range(0, count).Select(_ => NewId()).ToHashSet();
        await Task.WhenAll(ids.Select(id => Redis.MakeSessionAsync(
            SessionHashLayout.KeyOf(prefix, id), new("@gen", "g"), new("@created", "1795530887267"), new("@user", user), new("a", "1"))));
        return ids;
    }
}
