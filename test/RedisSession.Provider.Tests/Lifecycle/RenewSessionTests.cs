namespace RedisSession.Provider.Tests;

/// <summary>A new key for a session, at sign-in: same data, old key dead, new cookie.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class RenewSessionTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    [Test]
    public async Task All_data_is_under_a_new_key_and_the_old_one_is_gone([Values] RedisSessionMode mode)
    {
        using var browser = await NewRichVisitorAsync(Apps[mode]);
        string oldId = browser.SessionId;
        string oldCookie = browser.SessionCookie!.Value;
        var old = await Redis.HashGetAsync(Stack.KeyOf(oldId), ["@created", "@gen"]);

        string newId = await browser.VisitAsync(async context =>
        {
            context.Session.SetString("unconfirmed", "comes along");
            await context.RenewSessionAsync("ann");
            Assert.That(context.Session.Id, Is.Not.EqualTo(oldId));
            Assert.That(context.Session.GetString("key"), Is.EqualTo("old"));
            context.Session.SetString("after", "2");
            return context.Session.Id;
        });

        await AssertDeadAsync(Stack.KeyOf(oldId));
        var hash = (await Redis.HashGetAllAsync(Stack.KeyOf(newId))).ToDictionary(entry => (string)entry.Name!, entry => (string?)entry.Value);
        Assert.That(hash.Keys, Is.EquivalentTo(["@gen", "@created", "@user", "key", "empty", "@@odd", "unconfirmed", "after"]));
        Assert.That(hash["@user"], Is.EqualTo("ann"));
        Assert.That(hash["@created"], Is.EqualTo((string?)old[0]));
        Assert.That(hash["@gen"], Is.Not.EqualTo((string?)old[1]));
        Assert.That(await Redis.KeyTimeToLiveAsync(Stack.KeyOf(newId)), Is.EqualTo(TimeSpan.FromMinutes(20)).Within(TimeSpan.FromMinutes(1)));

        // The next request comes through the stock middleware with the new cookie.
        Assert.That(browser.SessionCookie!.Value, Is.Not.EqualTo(oldCookie));
        await browser.VisitAsync(session =>
        {
            Assert.That(session.Id, Is.EqualTo(newId));
            Assert.That(session.GetString("key"), Is.EqualTo("old"));
            Assert.That(session.GetString("after"), Is.EqualTo("2"));
            Assert.That(session.TryGetValue("empty", out var empty) && empty.Length == 0, Is.True);
        });
    }

    [Test]
    public async Task The_old_cookie_finds_nothing([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode);
        using var thief = browser.Twin();
        Assert.That(await thief.GetStringAsync("key"), Is.EqualTo("old"));
        await browser.RenewAsync();
        Assert.That(await thief.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
    }

    [Test]
    public async Task The_cookie_has_the_configured_options()
    {
        await using var app = await Stack.StartAsync(options =>
        {
            options.Cookie.Name = "sid";
            options.Cookie.Path = "/";
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.MaxAge = TimeSpan.FromHours(3);
        });
        using var browser = await app.NewVisitorAsync();
        using var response = await browser.SendAsync(context => context.RenewSessionAsync());
        string cookie = response.Headers.GetValues("Set-Cookie").Single();
        Assert.That(cookie, Does.Match("^sid=[^;]+; max-age=10800; path=/; samesite=strict; httponly$"));
        Assert.That(response.Headers.CacheControl?.NoStore, Is.True);
    }

    [Test]
    public async Task A_second_renewal_in_one_request_sends_one_cookie_the_last()
    {
        using var browser = await App.NewVisitorAsync();
        string id = "";
        using var response = await browser.SendAsync(async context =>
        {
            await context.RenewSessionAsync();
            await context.RenewSessionAsync();
            id = context.Session.Id;
        });
        Assert.That(response.Headers.GetValues("Set-Cookie").Count(), Is.EqualTo(1));
        Assert.That(await browser.VisitAsync(session => session.Id), Is.EqualTo(id));
    }

    [Test]
    public async Task A_key_that_was_made_for_this_request_is_kept_and_the_user_is_bound_and_listed([Values] bool writes)
    {
        string user = Somebody.New();
        using var browser = App.NewBrowser();
        string id = await browser.VisitAsync(async context =>
        {
            if (writes) context.Session.SetString("key", "1");
            await context.RenewSessionAsync(user);
            Assert.That(await Stack.UserListAsync(user), Is.EqualTo([context.Session.Id]));
            return context.Session.Id;
        });
        var bound = await Redis.HashGetAsync(Stack.KeyOf(id), ["@user", "@auto"]);
        Assert.That(((string?)bound[0], bound[1].IsNull), Is.EqualTo((user, true)));
        Assert.That(await browser.VisitAsync(session => session.Id), Is.EqualTo(id));
    }

    [Test]
    public async Task A_session_that_has_expired_begins_anew_under_a_new_key()
    {
        using var browser = await App.NewVisitorAsync();
        string oldId = browser.SessionId;
        await Redis.KeyDeleteAsync(Stack.KeyOf(oldId));
        string id = await browser.RenewAsync("bob");
        Assert.That(id, Is.Not.EqualTo(oldId));
        Assert.That((string?)await Redis.HashGetAsync(Stack.KeyOf(id), "@user"), Is.EqualTo("bob"));
        Assert.That(await Redis.KeyTimeToLiveAsync(Stack.KeyOf(id)), Is.Not.Null);
        Assert.That(await browser.VisitAsync(session => session.Id), Is.EqualTo(id));
    }

    [Test]
    public async Task After_the_response_has_started_it_is_refused_and_nothing_changes()
    {
        using var browser = await App.NewVisitorAsync();
        string id = browser.SessionId;
        await browser.VisitAsync(async context =>
        {
            await context.Response.WriteAsync("started");
            Assert.That(() => context.RenewSessionAsync("ann"), Throws.InvalidOperationException.With.Message.Contains("response has started"));
            Assert.That(context.Session.Id, Is.EqualTo(id));
        });
        Assert.That(await Redis.HashExistsAsync(Stack.KeyOf(id), "@user"), Is.False);
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
    }

    [Test]
    public async Task Writes_of_other_requests_to_the_old_key_are_refused_from_then_on([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode);
        var oldKey = KeyOf(browser);
        using var other = browser.Twin();
        await other.VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            await browser.VisitAsync(renewing => renewing.RenewSessionAsync());
            context.Session.SetString("late", "1");
            Assert.That(() => context.Session.CommitAsync(), Throws.InstanceOf<SessionEndedException>());
        });
        await AssertDeadAsync(oldKey);
        Assert.That(await browser.VisitAsync(session => session.IsNone("late")), Is.True);
    }

    [Test]
    public async Task Expiries_of_single_fields_are_kept_where_the_server_has_them()
    {
        using var browser = await NewRichVisitorAsync(App);
        bool hasFieldExpiry = Stack.Server.HasFieldExpiry; // without it the session moves all the same
        if (hasFieldExpiry) await Redis.HashFieldExpireAsync(KeyOf(browser), ["key"], TimeSpan.FromMinutes(3));
        string id = await browser.RenewAsync();
        Assert.That((string?)await Redis.HashGetAsync(Stack.KeyOf(id), "key"), Is.EqualTo("old"));
        if (!hasFieldExpiry) return;
        long[] left = await Redis.HashFieldGetTimeToLiveAsync(Stack.KeyOf(id), ["key", "empty"]);
        Assert.That(left[0], Is.InRange(1, 180_000));
        Assert.That(left[1], Is.EqualTo(-1));
    }

    [Test]
    public async Task Three_thousand_keys_and_five_megabytes_move()
    {
        byte[] large = new byte[5 * 1024 * 1024];
        new Random(2).NextBytes(large);
        using var browser = App.NewBrowser();
        await browser.VisitAsync(session =>
        {
            for (int i = 0; i < 3000; i++) session.SetInt32($"key{i}", i);
            session.Set("large", large);
        });
        await browser.RenewAsync();
        await browser.VisitAsync(session =>
        {
            Assert.That(session.Keys.Count(), Is.EqualTo(3001));
            Assert.That(session.GetRaw("large").AsSpan().SequenceEqual(large));
        });
    }

    [Test]
    public async Task The_absolute_timeout_goes_on_from_the_first_creation()
    {
        await using var app = await Stack.StartAsync(options => options.AbsoluteTimeout = TimeSpan.FromMinutes(30));
        using var browser = await app.NewVisitorAsync();
        await Redis.HashSetAsync(KeyOf(browser), "@created", DateTimeOffset.UtcNow.AddMinutes(-25).ToUnixTimeMilliseconds());
        string id = await browser.RenewAsync();
        Assert.That(await Redis.KeyTimeToLiveAsync(Stack.KeyOf(id)), Is.EqualTo(TimeSpan.FromMinutes(5)).Within(TimeSpan.FromSeconds(30)));
    }

    /// <summary>Nothing is left under it but that the key was renewed, and that for a minute.</summary>
    private async Task AssertDeadAsync(RedisKey key)
    {
        HashEntry[] left = await Redis.HashGetAllAsync(key);
        Assert.That(left.Select(field => field.Name.ToString()), Is.EqualTo(["@gen"]));
        Assert.That(Tombstone.Is(left[0].Value), Is.True);
        await Until.TrueAsync("the response was sent", async () => await Redis.KeyTimeToLiveAsync(key) <= TimeSpan.FromSeconds(61));
    }

    private static async Task<Browser> NewRichVisitorAsync(TestApp app)
    {
        var browser = app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            session.SetString("key", "old");
            session.Set("empty", []);
            session.SetString("@odd", "1");
        });
        return browser;
    }
}
