namespace RedisSession.Provider.Tests;

/// <summary>Changes that depend on what a key holds, by many requests at once.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class AtomicChangeTests(ServerKind kind) : BothModesFixture(kind)
{
    private static readonly Func<ISession, Task>[] Changes =
    [
        session => session.TakeAsync("key"), session => session.TrySetAsync("new", [1]),
        session => session.IncrementAsync("new"), session => session.UpdateJsonAsync<int>("new", n => n + 1),
    ];

    private readonly bool _isGarnet = !kind.IsProcess;

    protected override void Configure(RedisHashSessionOptions options) => options.RefreshInterval = TimeSpan.Zero;

    [Test]
    public async Task A_token_is_taken_by_exactly_one_of_100_requests([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "token", "secret");
        var taken = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => browser.VisitAsync(async context =>
            (await context.Session.TakeAsync("token")).Str)));
        Assert.That(taken.Where(text => text.Length > 0), Is.EqualTo(["secret"]));
        Assert.That(await browser.VisitAsync(session => session.IsNone("token")), Is.True);
    }

    [Test]
    public async Task One_of_100_requests_sets_what_is_absent([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "other", "1");
        var set = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => browser.VisitAsync(async context =>
            (Number: i, IsSet: await context.Session.TrySetValueAsync("winner", i)))));
        var winner = set.Single(request => request.IsSet);
        Assert.That(await browser.VisitAsync(session => session.GetInt("winner")), Is.EqualTo(winner.Number));
    }

    [Test]
    public async Task Of_1000_parallel_increments_none_is_lost([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "other", "1");
        var sums = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => browser.VisitAsync(context => context.Session.IncrementAsync("count"))));
        Assert.That(sums, Is.Unique.And.EquivalentTo(Enumerable.Range(1, 1000)));
        Assert.That(await browser.VisitAsync(session => session.GetInt("count")), Is.EqualTo(1000));
    }

    [Test]
    public async Task Of_100_parallel_changes_of_a_cart_none_is_lost([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "other", "1");
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => browser.VisitAsync(context =>
            context.Session.UpdateJsonAsync<Dictionary<string, int>>("cart", cart => new(cart ?? []) { [$"article {i}"] = i }))));
        var cart = await browser.VisitAsync(session => session.GetJson<Dictionary<string, int>>("cart"));
        Assert.That(cart, Is.EquivalentTo(Enumerable.Range(0, 100).ToDictionary(i => $"article {i}")));
    }

    [Test]
    public async Task An_update_with_type_information_reads_and_writes_as_it_says([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "other", "1");
        await browser.VisitAsync(async context =>
        {
            var written = await context.Session.UpdateJsonAsync(
                "cart", before => new Cart(before?.Owner ?? "ann", [], (before?.Total ?? 0) + 1), CartJson.Default.Cart);
            Assert.That(written.Total, Is.EqualTo(1));
            written = await context.Session.UpdateJsonAsync("cart", before => before! with { Total = before.Total + 1 }, CartJson.Default.Cart);
            Assert.That(written, Has.Property("Total").EqualTo(2).And.Property("Owner").EqualTo("ann"));
        });
    }

    [TestCase("no number", typeof(InvalidOperationException))]
    [TestCase("", typeof(InvalidOperationException))]
    [TestCase("1.5", typeof(InvalidOperationException))]
    [TestCase(" 5", typeof(InvalidOperationException))]
    [TestCase("9223372036854775808", typeof(InvalidOperationException))]
    [TestCase("\0\0\0\u0001", typeof(InvalidOperationException), TestName = "{m}(what SetInt32 wrote)")] // a filter does not find a NUL
    [TestCase("9223372036854775807", typeof(OverflowException))]
    public async Task What_cannot_be_incremented_is_told_and_stays(string value, Type expected)
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            using var browser = await NewVisitorAsync(mode, "n", value);
            await browser.VisitAsync(async context =>
            {
                var error = await Assert.CatchAsync(() => context.Session.IncrementAsync("n"));
                Assert.That(error, Is.TypeOf(expected).And.Message.Contains("'n'").And.Message.Contains(context.Session.Id));
                Assert.That(await context.Session.GetStrAsync("n"), Is.EqualTo(value));

                // Nothing is wrong with the session.
                Assert.That(await context.Session.IncrementAsync("m", 5), Is.EqualTo(5));
                context.Session.SetString("after", "1");
            });
            Assert.That(await browser.VisitAsync(session => session.GetStr("after")), Is.EqualTo("1"));
        }
    }

    [TestCase("+5")]
    [TestCase("007")]
    [TestCase("-0")]
    public async Task A_number_that_is_not_written_as_Redis_writes_it_is_refused(string value)
    {
        if (_isGarnet) return; // Garnet adds to it
        using var browser = await NewVisitorAsync(RedisSessionMode.Buffered, "n", value);
        await browser.VisitAsync(async context =>
        {
            Assert.That(() => context.Session.IncrementAsync("n"), Throws.InvalidOperationException.With.Message.Contains("not an integer"));
            Assert.That(await context.Session.GetStrAsync("n"), Is.EqualTo(value));
        });
    }

    [TestCase(1, 2L)]
    [TestCase(-5, -4L)]
    [TestCase(0, 1L)]
    [TestCase(long.MaxValue - 1, long.MaxValue)]
    public async Task Sums_are_exact(long by, long expected)
    {
        using var browser = await NewVisitorAsync(RedisSessionMode.Buffered, "n", "1");
        Assert.That(await browser.VisitAsync(context => context.Session.IncrementAsync("n", by)), Is.EqualTo(expected));
    }

    /// <summary>Before and after a snapshot, in both modes, whatever the request itself has changed and not confirmed yet.</summary>
    [Test]
    public async Task The_synchronous_API_sees_what_they_did([Values] RedisSessionMode mode, [Values] bool loaded)
    {
        using var browser = await NewVisitorAsync(mode, "token", "secret");
        await browser.VisitAsync(async context =>
        {
            var session = context.Session;
            if (loaded) await session.LoadAsync();
            session.SetValue("count", 41);

            Assert.That(await session.IncrementAsync("count"), Is.EqualTo(42));
            Assert.That(session.GetInt("count"), Is.EqualTo(42));

            Assert.That((await session.TakeAsync("token")).Str, Is.EqualTo("secret"));
            Assert.That(session.IsNone("token"), Is.True);

            Assert.That(await session.TrySetValueAsync("first", "mine"), Is.True);
            Assert.That(session.GetStr("first"), Is.EqualTo("mine"));
            await browser.VisitAsync(other => other.SetString("theirs", "theirs"));
            Assert.That(await session.TrySetValueAsync("theirs", "mine"), Is.False);
            Assert.That(session.GetStr("theirs"), Is.EqualTo("theirs"), "what was in the way");

            await session.UpdateJsonAsync<int[]>("list", list => [.. list ?? [], 1]);
            await session.UpdateJsonAsync<int[]>("list", list => [.. list ?? [], 2]);
            Assert.That(session.GetJsonOr<int[]>("list", []), Is.EqualTo(new[] { 1, 2 }));

            session.Remove("list");
            await session.UpdateJsonAsync<int[]>("list", list => [.. list ?? [], 3]);
            Assert.That(session.GetJsonOr<int[]>("list", []), Is.EqualTo(new[] { 3 }));
            Assert.That(session.Keys, Is.EquivalentTo(["count", "first", "list", "theirs"]));
        });
        Assert.That(
            await browser.VisitAsync(session => session.Keys.Select(key => $"{key}={session.GetStr(key)}").Order()),
            Is.EqualTo(["count=42", "first=mine", "list=[3]", "theirs=theirs"]));
    }

    [Test]
    public async Task Parallel_changes_of_one_request_leave_its_view_as_Redis_has_it([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "n", "0");
        await browser.VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => context.Session.IncrementAsync("n")));
            Assert.That(context.Session.GetInt("n"), Is.EqualTo(50));
        });
    }

    [Test]
    public async Task Each_but_taking_creates_the_session_with_its_expiry([Values] RedisSessionMode mode)
    {
        foreach (var change in Changes[1..])
        {
            using var browser = Apps[mode].NewBrowser();
            await browser.VisitAsync(context => change(context.Session));
            Assert.That(await browser.VisitAsync(session => session.Keys), Is.EqualTo(["new"]));
            var left = await Redis.KeyTimeToLiveAsync(KeyOf(browser));
            Assert.That(left, Is.EqualTo(TimeSpan.FromMinutes(20)).Within(TimeSpan.FromMinutes(1)));
        }
    }

    [Test]
    public async Task Taking_creates_no_session([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        var (id, taken) = await browser.VisitAsync(async context => (context.Session.Id, await context.Session.TakeAsync("key")));
        Assert.That(taken.None, Is.True);
        Assert.That(browser.SessionCookie, Is.Null);
        Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(id)), Is.False);
    }

    [Test]
    public async Task Taking_the_last_key_does_not_end_the_session([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "token", "secret");
        await browser.VisitAsync(async context => await context.Session.TakeAsync("token"));
        Assert.That(await Redis.KeyTimeToLiveAsync(KeyOf(browser)), Is.Not.Null);
    }

    /// <summary>The request has seen the session; then it ends, and none of them brings it back.</summary>
    [Test]
    public async Task A_session_that_has_ended_stays_ended([Values] RedisSessionMode mode)
    {
        Func<ISession, Task> expiring = session => session.SetValueAsync("new", 1, TimeSpan.FromMinutes(5));
        foreach (var change in Stack.Server.HasFieldExpiry ? [.. Changes, expiring] : Changes)
        {
            using var browser = await NewVisitorAsync(mode, "key", "1");
            await browser.VisitAsync(async context =>
            {
                var session = context.Session;
                await session.GetStrAsync("key");
                await Redis.KeyDeleteAsync(Stack.KeyOf(session.Id));
                Assert.That(() => change(session), Throws.InstanceOf<SessionEndedException>());
                Assert.That(() => change(session), Throws.InstanceOf<SessionEndedException>(), "once more");
                Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(session.Id)), Is.False);
            });
        }
    }

    [Test]
    public async Task They_renew_the_expiry([Values] RedisSessionMode mode)
    {
        foreach (var change in (Func<ISession, Task>[])[.. Changes, session => session.TrySetAsync("key", [1])]) // which is refused
        {
            using var browser = await NewVisitorAsync(mode, "key", "1");
            await browser.VisitAsync(async context =>
            {
                var key = Stack.KeyOf(context.Session.Id);
                await Redis.KeyExpireAsync(key, TimeSpan.FromMinutes(1));
                await change(context.Session);
                Assert.That(await Redis.KeyTimeToLiveAsync(key), Is.GreaterThan(TimeSpan.FromMinutes(15)));
            });
        }
    }

    [Test]
    public async Task A_new_session_cannot_begin_behind_the_response([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(async context =>
        {
            await context.Response.WriteAsync("started");
            await context.Response.Body.FlushAsync();
            Assert.That(() => context.Session.IncrementAsync("n"), Throws.InvalidOperationException);
            Assert.That(() => context.Session.TrySetAsync("n", [1]), Throws.InvalidOperationException);
            Assert.That(() => context.Session.UpdateJsonAsync<int>("n", n => n), Throws.InvalidOperationException);
        });
    }

    [Test]
    public async Task What_change_throws_comes_out_and_nothing_is_written([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "json", "1");
        await browser.VisitAsync(async context =>
        {
            Assert.That(
                () => context.Session.UpdateJsonAsync<int>("json", _ => throw new FormatException("mine")),
                Throws.InstanceOf<FormatException>().With.Message.EqualTo("mine"));
            Assert.That(await context.Session.GetIntAsync("json"), Is.EqualTo(1));
        });
    }

    [Test]
    public async Task What_is_no_JSON_is_changed_from_the_default([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "json", "{");
        Assert.That(
            await browser.VisitAsync(context => context.Session.UpdateJsonAsync<int[]>("json", list => list is null ? [1] : [2])),
            Is.EqualTo(new[] { 1 }));
    }
}
