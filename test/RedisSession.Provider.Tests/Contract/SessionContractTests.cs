using NUnit.Framework.Constraints;

namespace RedisSession.Provider.Tests;

/// <summary>
/// What ASP.NET Core promises of a session, proven on stock AddSession and on ours: "drop-in" as a test. What differs on purpose is in
/// <see cref="SessionDifferenceTests"/>.
/// </summary>
[TestFixtureSource(typeof(SessionStack), nameof(SessionStack.All))]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
internal sealed class SessionContractTests(SessionStack stack)
{
    private static readonly byte[] Value = [1, 2, 3];

    private TestApp _app = null!;
    private Browser _browser = null!;

    [OneTimeSetUp]
    public async Task StartApp() => _app = await stack.StartAsync();

    [OneTimeTearDown]
    public async Task StopApp() => await _app.DisposeAsync();

    [SetUp]
    public void OpenBrowser() => _browser = _app.NewBrowser();

    [TearDown]
    public void CloseBrowser() => _browser.Dispose();

    private static IEnumerable<TestCaseData> Changes()
    {
        TestCaseData Case(string name, Action<ISession> change, string content) =>
            new TestCaseData(change, content).SetArgDisplayNames(name);
        yield return Case("changes nothing", _ => { }, "a=1 b=2");
        yield return Case("sets a key", session => session.SetString("c", "3"), "a=1 b=2 c=3");
        yield return Case("replaces a value", session => session.SetString("a", "new"), "a=new b=2");
        yield return Case("removes a key", session => session.Remove("a"), "b=2");
        yield return Case("removes what is not there", session => session.Remove("nothing"), "a=1 b=2");
        yield return Case("clears", session => session.Clear(), "");
        yield return Case("sets before and after Clear", session =>
        {
            session.SetString("before", "3");
            session.Clear();
            session.SetString("after", "4");
        }, "after=4");
        yield return Case("changes a key twice", session =>
        {
            session.SetString("a", "3");
            session.SetString("a", "4");
            session.Remove("b");
            session.SetString("b", "5");
            session.SetString("c", "6");
            session.Remove("c");
            session.Remove("d");
            session.SetString("d", "7");
        }, "a=4 b=5 d=7");
    }

    [TestCaseSource(nameof(Changes))]
    public async Task The_request_itself_and_the_next_see_the_session_of_a_request_that(Action<ISession> change, string content)
    {
        await _browser.VisitAsync(session =>
        {
            session.SetString("a", "1");
            session.SetString("b", "2");
        });
        await _browser.VisitAsync(session =>
        {
            change(session);
            AssertContent(session, "in the same request");
        });
        await _browser.VisitAsync(session => AssertContent(session, "in the next request"));

        void AssertContent(ISession session, string when)
        {
            Assert.That(Browser.ContentOf(session), Is.EqualTo(content), when);
            foreach (string key in ((string[])["a", "b", "c", "before", "nothing"]).Except(session.Keys))
                Assert.That((session.TryGetValue(key, out var value), value), Is.EqualTo((false, (byte[]?)null)), when);
        }
    }

    [Test]
    public async Task A_new_session_has_what_is_set_and_nothing_else_in_this_request_and_the_next()
    {
        await _browser.VisitAsync(session => session.Remove("nothing"));
        await _browser.VisitAsync(session =>
        {
            session.Set("key", Value);
            Assert.That(session.GetRaw("key"), Is.EqualTo(Value));
            Assert.That(session.Keys, Is.EqualTo(["key"]));
        });
        Assert.That(await _browser.VisitAsync(session => session.GetRaw("key")), Is.EqualTo(Value));
    }

    private static IEnumerable<string> Keys =>
    [
        "", " ", "@", "@gen", "@created", "@user", "@@gen", "@@@", "a@b", "Key", "key", "ключ", "鍵", "🔑", "with space", "line\nbreak", "nul\0inside",
        "quote\"'`", "{braces}", new string('k', ushort.MaxValue), new string('ä', ushort.MaxValue / 2),
    ];

    [Test]
    public async Task Keys_may_have_any_content()
    {
        await _browser.VisitAsync(session =>
        {
            foreach (string key in Keys) session.SetString(key, "value of " + key);
        });
        await _browser.VisitAsync(session =>
        {
            Assert.That(session.Keys, Is.EquivalentTo(Keys));
            foreach (string key in Keys) Assert.That(session.GetString(key), Is.EqualTo("value of " + key));
        });
        await _browser.VisitAsync(session =>
        {
            foreach (string key in Keys) session.Remove(key);
        });
        Assert.That(await _browser.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
    }

    [Test]
    public async Task Values_may_be_empty_or_binary()
    {
        byte[] binary = [.. Enumerable.Range(0, 1024).Select(i => (byte)i)];
        await _browser.VisitAsync(session =>
        {
            session.Set("empty", []);
            session.Set("binary", binary);
        });
        await _browser.VisitAsync(session =>
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
        await _browser.VisitAsync(session =>
        {
            for (int i = 0; i < 3000; i++) session.SetInt32($"key{i}", i);
            session.Set("large", large);
        });
        await _browser.VisitAsync(session =>
        {
            Assert.That(session.Keys.Count(), Is.EqualTo(3001));
            Assert.That(session.GetInt32("key2999"), Is.EqualTo(2999));
            Assert.That(session.GetRaw("large").AsSpan().SequenceEqual(large));
            for (int i = 0; i < 3000; i++) session.Remove($"key{i}");
        });
        Assert.That(await _browser.VisitAsync(session => session.Keys.ToArray()), Is.EqualTo(["large"]));
    }

    [Test]
    public async Task The_array_that_was_set_may_be_reused()
    {
        await _browser.VisitAsync(session =>
        {
            byte[] array = [1];
            session.Set("key", array);
            array[0] = 2;
            Assert.That(session.GetRaw("key"), Is.EqualTo(new byte[] { 1 }));
        });
        Assert.That(await _browser.VisitAsync(session => session.GetRaw("key")), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public Task Wrong_arguments_are_refused_by_name() => _browser.VisitAsync(session =>
    {
        Assert.That(() => session.Set("key", null!), ThrowsNull.Of("value"));
        Assert.That(() => session.Set(null!, Value), Throws.InstanceOf<ArgumentNullException>());
        Assert.That(() => session.TryGetValue(null!, out _), Throws.InstanceOf<ArgumentNullException>());
        Assert.That(() => session.Remove(null!), Throws.InstanceOf<ArgumentNullException>());
        ReusableConstraint tooLong = Throws.InstanceOf<ArgumentOutOfRangeException>().With.Property("ParamName").EqualTo("key");
        Assert.That(() => session.Set(new string('k', ushort.MaxValue + 1), Value), tooLong);
        Assert.That(() => session.Set(new string('ä', (ushort.MaxValue / 2) + 1), Value), tooLong);
        Assert.That(session.Keys, Is.Empty);
    });

    [Test]
    public async Task A_new_session_cannot_begin_after_the_response_has_started()
    {
        await _browser.VisitAsync(async context =>
        {
            await context.Response.WriteAsync("started");
            Assert.That(() => context.Session.Set("key", Value), Throws.InvalidOperationException.With.Message.Contains("response has started"));
            Assert.That(context.Session.Keys, Is.Empty);
        });
        Assert.That(_browser.SessionCookie, Is.Null);
    }

    [Test]
    public async Task An_existing_session_can_be_changed_after_the_response_has_started()
    {
        await _browser.SetStringAsync("key", "old");
        await _browser.VisitAsync(async context =>
        {
            await context.Response.WriteAsync("started");
            context.Session.SetString("key", "new");
        });

        // The commit after the response is not awaited by anyone: on stock the next request can be earlier.
        Assert.That(async () => await _browser.GetStringAsync("key"), Is.EqualTo("new").After(5000, 20));
    }

    [Test]
    public async Task A_new_session_begun_before_the_response_can_be_changed_after_its_start()
    {
        await _browser.VisitAsync(async context =>
        {
            context.Session.SetString("before", "1");
            await context.Response.WriteAsync("started");
            context.Session.SetString("after", "2");
        });
        Assert.That(async () => await _browser.GetStringAsync("after"), Is.EqualTo("2").After(5000, 20));
        Assert.That(await _browser.GetStringAsync("before"), Is.EqualTo("1"));
    }

    [Test]
    public async Task LoadAsync_takes_a_snapshot_that_own_changes_show_in()
    {
        await _browser.SetStringAsync("key", "old");
        await _browser.VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            await _browser.SetStringAsync("key", "changed meanwhile");
            Assert.That(context.Session.GetString("key"), Is.EqualTo("old"));
            await context.Session.LoadAsync(); // a second one does nothing
            Assert.That(context.Session.GetString("key"), Is.EqualTo("old"));
            context.Session.SetString("key", "own");
            Assert.That(context.Session.GetString("key"), Is.EqualTo("own"));
        });
        Assert.That(await _browser.GetStringAsync("key"), Is.EqualTo("own"));
    }

    [Test]
    public async Task CommitAsync_makes_changes_visible_to_other_requests_at_once()
    {
        await _browser.SetStringAsync("key", "old");
        await _browser.VisitAsync(async context =>
        {
            context.Session.SetString("key", "new");
            await context.Session.CommitAsync();
            Assert.That(await _browser.GetStringAsync("key"), Is.EqualTo("new"));
        });
    }

    [Test]
    public async Task A_cancelled_token_is_honoured()
    {
        await _browser.SetStringAsync("key", "old");
        await _browser.VisitAsync(async context =>
        {
            var cancelled = new CancellationToken(canceled: true);
            if (stack.Pipeline == Pipeline.UseSession)
                Assert.That(async () => await context.Session.LoadAsync(cancelled), Throws.InstanceOf<OperationCanceledException>());

            context.Session.SetString("key", "new");
            Assert.That(async () => await context.Session.CommitAsync(cancelled), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(context.Session.IsAvailable, Is.True);
        });
        Assert.That(await _browser.GetStringAsync("key"), Is.EqualTo("new"), "the commit at the end of the request");
    }

    [Test]
    public async Task The_session_is_available_and_keeps_its_id()
    {
        string id = await _browser.SetStringAsync("key", "1");
        Assert.That(id, Is.Not.Empty);
        Assert.That(await _browser.VisitAsync(session => (session.Id, session.IsAvailable)), Is.EqualTo((id, true)));
    }

    [Test]
    public async Task Only_a_session_that_is_set_gets_a_cookie_and_it_is_for_the_server_only()
    {
        await _browser.VisitAsync(session => _ = session.GetString("key"));
        Assert.That(_browser.SessionCookie, Is.Null);

        using var response = await _browser.SendAsync(context =>
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
        await _browser.SetStringAsync("key", "secret");
        using var forger = _browser.Twin();
        string real = forger.SessionCookie!.Value;
        forger.SessionCookie!.Value = (real[0] == 'A' ? 'B' : 'A') + real[1..];
        Assert.That(await forger.GetStringAsync("key"), Is.Null);
    }

    [Test]
    public async Task Sessions_of_two_visitors_are_apart()
    {
        using var other = _app.NewBrowser();
        await _browser.SetStringAsync("who", "one");
        await other.SetStringAsync("who", "two");
        Assert.That((await _browser.GetStringAsync("who"), await other.GetStringAsync("who")), Is.EqualTo(("one", "two")));
    }

    [Test]
    public async Task The_getters_read_what_the_setters_wrote_and_fall_back()
    {
        var time = new DateTimeOffset(2026, 2, 3, 4, 5, 6, 789, TimeSpan.FromHours(2));
        var cart = new Dictionary<string, int> { ["tea"] = 2 };
        await _browser.VisitAsync(session =>
        {
            session.SetInt32("bytes", -5);
            session.SetString("text", "héllo");
            session.SetValue("number", 42);
            session.SetValue("truth", true);
            session.SetValue("time", time);
            session.SetJson("cart", cart);
        });
        await _browser.VisitAsync(session =>
        {
            Assert.That((session.GetInt32("bytes"), session.GetString("text")), Is.EqualTo((-5, "héllo")));
            Assert.That((session.GetInt("number"), session.GetStr("number"), session.GetBool("truth")), Is.EqualTo((42, "42", true)));
            Assert.That(session.GetValue("time", DateTimeOffset.MinValue), Is.EqualTo(time));
            Assert.That(session.GetJson<Dictionary<string, int>>("cart"), Is.EqualTo(cart));
            Assert.That(((int?)session.GetJson("cart")["tea"], session.Read("cart").Str), Is.EqualTo((2, """{"tea":2}""")));

            Assert.That((session.GetInt32("absent"), session.GetString("absent")), Is.EqualTo(((int?)null, (string?)null)));
            Assert.That(
                (session.IsNone("absent"), session.GetInt("absent"), session.GetStr("absent"), session.GetBool("absent")),
                Is.EqualTo((true, 0, "", false)));
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
        using var browser = await app.NewVisitorAsync(key: "key", value: "1");
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("1"));
    }
}
