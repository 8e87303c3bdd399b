using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Tests;

/// <summary>
/// What ASP.NET Core promises of a session, proven on stock AddSession and on ours: "drop-in" as a test. What differs on purpose is in
/// <see cref="SessionDifferenceTests"/>.
/// </summary>
[TestFixtureSource(typeof(SessionStack), nameof(SessionStack.All))]
[Parallelizable]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
internal sealed class SessionContractTests(SessionStack stack)
{
    private TestApp _app = null!;

    private static readonly byte[] Value = [1, 2, 3];

    [OneTimeSetUp]
    public async Task StartApp() => _app = await stack.StartAsync();

    [OneTimeTearDown]
    public async Task StopApp() => await _app.DisposeAsync();

    [Test]
    public async Task A_value_is_there_on_the_next_request()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => session.Set("key", Value));
        Assert.That(await browser.VisitAsync(session => session.GetRaw("key")), Is.EqualTo(Value));
    }

    [Test]
    public async Task A_value_is_there_in_the_same_request()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            session.Set("key", Value);
            Assert.That(session.GetRaw("key"), Is.EqualTo(Value));
            Assert.That(session.Keys, Is.EqualTo(["key"]));
        });
    }

    [Test]
    public async Task A_value_can_be_replaced()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "old"));
        await browser.VisitAsync(session => session.SetString("key", "new"));
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"));
    }

    [Test]
    public async Task A_removed_key_is_absent_in_this_request_and_the_next()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            session.SetString("goes", "1");
            session.SetString("stays", "2");
        });
        await browser.VisitAsync(session =>
        {
            session.Remove("goes");
            Assert.That(session.TryGetValue("goes", out _), Is.False);
        });
        await browser.VisitAsync(session =>
        {
            Assert.That(session.TryGetValue("goes", out var value), Is.False);
            Assert.That(value, Is.Null);
            Assert.That(session.Keys, Is.EqualTo(["stays"]));
        });
    }

    [Test]
    public async Task Removing_what_is_not_there_does_nothing()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => session.Remove("nothing"));
        await browser.VisitAsync(session => session.SetString("key", "1"));
        await browser.VisitAsync(session => session.Remove("nothing"));
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EqualTo(["key"]));
    }

    [Test]
    public async Task A_cleared_session_is_empty_in_this_request_and_the_next()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            session.SetString("a", "1");
            session.SetString("b", "2");
        });
        await browser.VisitAsync(session =>
        {
            session.Clear();
            Assert.That(session.Keys, Is.Empty);
            Assert.That(session.GetString("a"), Is.Null);
        });
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
    }

    [Test]
    public async Task What_is_set_after_Clear_stays_and_what_was_set_before_goes()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("old", "1"));
        await browser.VisitAsync(session =>
        {
            session.SetString("before", "2");
            session.Clear();
            session.SetString("after", "3");
            Assert.That(session.Keys, Is.EqualTo(["after"]));
        });
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EqualTo(["after"]));
    }

    [Test]
    public async Task The_last_change_to_a_key_wins()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("c", "was there"));
        await browser.VisitAsync(session =>
        {
            session.SetString("a", "1");
            session.Remove("a");
            session.Remove("b");
            session.SetString("b", "2");
            session.SetString("c", "3");
            session.SetString("c", "4");
        });
        await browser.VisitAsync(session =>
        {
            Assert.That(session.Keys, Is.EquivalentTo(["b", "c"]));
            Assert.That(session.GetString("c"), Is.EqualTo("4"));
        });
    }

    private static IEnumerable<string> Keys =>
    [
        "", " ", "@", "@gen", "@created", "@user", "@@gen", "@@@", "a@b", "Key", "key", "ключ", "鍵", "🔑", "with space", "line\nbreak", "nul\0inside",
        "quote\"'`", "{braces}", new string('k', ushort.MaxValue), new string('ä', ushort.MaxValue / 2),
    ];

    [Test]
    public async Task Keys_may_have_any_content()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            foreach (string key in Keys) session.SetString(key, "value of " + key);
        });
        await browser.VisitAsync(session =>
        {
            Assert.That(session.Keys, Is.EquivalentTo(Keys));
            foreach (string key in Keys) Assert.That(session.GetString(key), Is.EqualTo("value of " + key));
        });
        await browser.VisitAsync(session =>
        {
            foreach (string key in Keys) session.Remove(key);
        });
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
    }

    [Test]
    public async Task Values_may_be_empty_or_binary()
    {
        byte[] binary = [.. Enumerable.Range(0, 1024).Select(i => (byte)i)];
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            session.Set("empty", []);
            session.Set("binary", binary);
        });
        await browser.VisitAsync(session =>
        {
            Assert.That(session.TryGetValue("empty", out var empty), Is.True);
            Assert.That(empty, Is.Empty);
            Assert.That(session.IsNone("empty"), Is.False);
            Assert.That(session.GetRaw("binary"), Is.EqualTo(binary));
        });
    }

    [Test]
    public async Task Three_thousand_keys_and_five_megabytes_fit()
    {
        byte[] large = new byte[5 * 1024 * 1024];
        new Random(1).NextBytes(large);
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            for (int i = 0; i < 3000; i++) session.SetInt32($"key{i}", i);
            session.Set("large", large);
        });
        await browser.VisitAsync(session =>
        {
            Assert.That(session.Keys.Count(), Is.EqualTo(3001));
            Assert.That(session.GetInt32("key2999"), Is.EqualTo(2999));
            Assert.That(session.GetRaw("large").AsSpan().SequenceEqual(large));
            for (int i = 0; i < 3000; i++) session.Remove($"key{i}");
        });
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EqualTo(["large"]));
    }

    [Test]
    public async Task The_array_that_was_set_may_be_reused()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            byte[] array = [1];
            session.Set("key", array);
            array[0] = 2;
            Assert.That(session.GetRaw("key"), Is.EqualTo(new byte[] { 1 }));
        });
        Assert.That(await browser.VisitAsync(session => session.GetRaw("key")), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public async Task Wrong_arguments_are_refused_by_name()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            Assert.That(() => session.Set("key", null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("value"));
            Assert.That(() => session.Set(null!, Value), Throws.InstanceOf<ArgumentNullException>());
            Assert.That(() => session.TryGetValue(null!, out _), Throws.InstanceOf<ArgumentNullException>());
            Assert.That(() => session.Remove(null!), Throws.InstanceOf<ArgumentNullException>());
            Assert.That(
                () => session.Set(new string('k', ushort.MaxValue + 1), Value),
                Throws.InstanceOf<ArgumentOutOfRangeException>().With.Property("ParamName").EqualTo("key"));
            Assert.That(
                () => session.Set(new string('ä', (ushort.MaxValue / 2) + 1), Value),
                Throws.InstanceOf<ArgumentOutOfRangeException>().With.Property("ParamName").EqualTo("key"));
            Assert.That(session.Keys, Is.Empty);
        });
    }

    [Test]
    public async Task A_new_session_cannot_begin_after_the_response_has_started()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(async context =>
        {
            await context.Response.WriteAsync("started");
            Assert.That(() => context.Session.Set("key", Value), Throws.InvalidOperationException.With.Message.Contains("response has started"));
        });
        Assert.That(browser.SessionCookie, Is.Null);
    }

    [Test]
    public async Task An_existing_session_can_be_changed_after_the_response_has_started()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "old"));
        await browser.VisitAsync(async context =>
        {
            await context.Response.WriteAsync("started");
            context.Session.SetString("key", "new");
        });

        // The commit after the response is not awaited by anyone: on stock the next request can be earlier.
        Assert.That(async () => await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new").After(5000, 20));
    }

    [Test]
    public async Task A_new_session_begun_before_the_response_can_be_changed_after_its_start()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("before", "1");
            await context.Response.WriteAsync("started");
            context.Session.SetString("after", "2");
        });
        Assert.That(async () => await browser.VisitAsync(session => session.GetString("after")), Is.EqualTo("2").After(5000, 20));
        Assert.That(await browser.VisitAsync(session => session.GetString("before")), Is.EqualTo("1"));
    }

    [Test]
    public async Task LoadAsync_takes_a_snapshot_that_own_changes_show_in()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "old"));
        await browser.VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            await browser.VisitAsync(session => session.SetString("key", "changed meanwhile"));
            Assert.That(context.Session.GetString("key"), Is.EqualTo("old"));
            await context.Session.LoadAsync(); // a second one does nothing
            Assert.That(context.Session.GetString("key"), Is.EqualTo("old"));
            context.Session.SetString("key", "own");
            Assert.That(context.Session.GetString("key"), Is.EqualTo("own"));
        });
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("own"));
    }

    [Test]
    public async Task CommitAsync_makes_changes_visible_to_other_requests_at_once()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "old"));
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("key", "new");
            await context.Session.CommitAsync();
            Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"));
        });
    }

    [Test]
    public async Task A_cancelled_token_is_honoured()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "old"));
        await browser.VisitAsync(async context =>
        {
            using var cancelled = new CancellationTokenSource();
            await cancelled.CancelAsync();
            if (stack.Pipeline == Pipeline.UseSession)
            {
                Assert.That(async () => await context.Session.LoadAsync(cancelled.Token), Throws.InstanceOf<OperationCanceledException>());
            }

            context.Session.SetString("key", "new");
            Assert.That(async () => await context.Session.CommitAsync(cancelled.Token), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(context.Session.IsAvailable, Is.True);
        });
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"), "the commit at the end of the request");
    }

    [Test]
    public async Task The_session_is_available_and_keeps_its_id()
    {
        using var browser = _app.NewBrowser();
        string first = await browser.VisitAsync(session =>
        {
            session.SetString("key", "1");
            Assert.That(session.IsAvailable, Is.True);
            return session.Id;
        });
        string second = await browser.VisitAsync(session => session.Id);
        Assert.That(first, Is.Not.Empty);
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public async Task Only_a_session_that_is_set_gets_a_cookie_and_it_is_for_the_server_only()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => _ = session.GetString("key"));
        Assert.That(browser.SessionCookie, Is.Null);

        using var response = await browser.SendAsync(context =>
        {
            context.Session.SetString("key", "1");
            return Task.CompletedTask;
        });
        string cookie = response.Headers.GetValues("Set-Cookie").Single();
        Assert.That(cookie, Does.Match("^\\.AspNetCore\\.Session=[^;]+; path=/; samesite=lax; httponly$"));
        Assert.That(response.Headers.CacheControl?.ToString(), Is.EqualTo("no-cache, no-store").Or.EqualTo("no-store, no-cache"));
    }

    [Test]
    public async Task A_forged_cookie_gets_an_empty_session()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "secret"));
        string real = browser.SessionCookie!.Value;
        string forged = (real[0] == 'A' ? 'B' : 'A') + real[1..];

        using var forger = _app.NewBrowser();
        forger.Cookies.Add(_app.Address, new System.Net.Cookie(".AspNetCore.Session", forged));
        Assert.That(await forger.VisitAsync(session => session.GetString("key")), Is.Null);
    }

    [Test]
    public async Task Sessions_of_two_visitors_are_apart()
    {
        using var one = _app.NewBrowser();
        using var two = _app.NewBrowser();
        await one.VisitAsync(session => session.SetString("who", "one"));
        await two.VisitAsync(session => session.SetString("who", "two"));
        Assert.That(await one.VisitAsync(session => session.GetString("who")), Is.EqualTo("one"));
        Assert.That(await two.VisitAsync(session => session.GetString("who")), Is.EqualTo("two"));
    }

    [Test]
    public async Task The_built_in_getters_keep_their_meaning()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            session.SetInt32("number", -5);
            session.SetString("text", "héllo");
        });
        await browser.VisitAsync(session =>
        {
            Assert.That(session.GetInt32("number"), Is.EqualTo(-5));
            Assert.That(session.GetInt32("absent"), Is.Null);
            Assert.That(session.GetString("text"), Is.EqualTo("héllo"));
            Assert.That(session.GetString("absent"), Is.Null);
        });
    }

    [Test]
    public async Task The_typed_getters_read_what_the_typed_setters_wrote_and_fall_back()
    {
        using var browser = _app.NewBrowser();
        var time = new DateTimeOffset(2026, 2, 3, 4, 5, 6, 789, TimeSpan.FromHours(2));
        await browser.VisitAsync(session =>
        {
            session.SetValue("number", 42);
            session.SetValue("truth", true);
            session.SetValue("time", time);
            session.SetJson("cart", new Dictionary<string, int> { ["tea"] = 2 });
        });
        await browser.VisitAsync(session =>
        {
            Assert.That(session.GetInt("number"), Is.EqualTo(42));
            Assert.That(session.GetStr("number"), Is.EqualTo("42"));
            Assert.That(session.GetBool("truth"), Is.True);
            Assert.That(session.GetValue("time", DateTimeOffset.MinValue), Is.EqualTo(time));
            Assert.That(session.GetJson<Dictionary<string, int>>("cart"), Is.EqualTo(new Dictionary<string, int> { ["tea"] = 2 }));
            Assert.That((int?)session.GetJson("cart")["tea"], Is.EqualTo(2));
            Assert.That(session.Read("cart").Str, Is.EqualTo("""{"tea":2}"""));

            Assert.That(session.IsNone("absent"), Is.True);
            Assert.That(session.GetInt("absent"), Is.Zero);
            Assert.That(session.GetStr("absent"), Is.Empty);
            Assert.That(session.GetBool("absent"), Is.False);
            Assert.That(session.GetRaw("absent"), Is.Null);
            Assert.That(session.GetJson("absent").ToJsonString(), Is.EqualTo("{}"));
            Assert.That(session.GetJson<Dictionary<string, int>>("absent"), Is.Empty);
            Assert.That(session.GetInt("cart"), Is.Zero);
        });
    }

    [Test]
    public async Task A_session_that_never_times_out_works()
    {
        await using var app = await stack.StartAsync(configure: options => options.IdleTimeout = TimeSpan.MaxValue);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("1"));
    }
}
