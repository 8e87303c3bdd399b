namespace RedisSession.Provider.Tests;

/// <summary>What a request sees of others' changes and its own, in the two modes.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class ModeTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    [Test]
    public async Task Synchronous_reads_see_others_changes_in_live_mode_and_a_snapshot_in_buffered([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode);
        await browser.VisitAsync(async context =>
        {
            Assert.That(context.Session.GetString("key"), Is.EqualTo("old"));
            await browser.SetStringAsync("key", "new");
            await browser.SetStringAsync("more", "1");
            bool live = mode == RedisSessionMode.Live;
            Assert.That(context.Session.GetString("key"), Is.EqualTo(live ? "new" : "old"));
            Assert.That(context.Session.Keys, Is.EquivalentTo(live ? ["key", "more"] : (string[])["key"]));
        });
    }

    [Test]
    public async Task Asynchronous_getters_are_live_in_both_modes_before_and_after_a_snapshot([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(session => session.SetValue("n", 1));
        await browser.VisitAsync(async context =>
        {
            Assert.That(await context.Session.GetIntAsync("n"), Is.EqualTo(1));
            await browser.VisitAsync(session => session.SetValue("n", 2));
            Assert.That(await context.Session.GetIntAsync("n"), Is.EqualTo(2));

            await context.Session.LoadAsync();
            await browser.VisitAsync(session => session.SetValue("n", 3));
            Assert.That(await context.Session.GetIntAsync("n"), Is.EqualTo(3));
            Assert.That(context.Session.GetInt("n"), Is.EqualTo(2), "the snapshot");

            await context.Session.ReloadAsync();
            Assert.That(context.Session.GetInt("n"), Is.EqualTo(3), "the newer snapshot");
        });
    }

    [Test]
    public async Task Each_asynchronous_getter_reads_what_its_twin_reads([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(session =>
        {
            session.SetValue("n", 7);
            session.SetValue("b", true);
            session.SetValue("d", 1.5);
            session.SetJson("j", new Dictionary<string, int> { ["a"] = 1 });
        });
        await browser.VisitAsync(async context =>
        {
            var session = context.Session;
            Assert.That(await session.GetIntAsync("n"), Is.EqualTo(7));
            Assert.That(await session.GetStrAsync("n"), Is.EqualTo("7"));
            Assert.That(await session.GetRawAsync("n"), Is.EqualTo("7"u8.ToArray()));
            Assert.That(await session.GetBoolAsync("b"), Is.True);
            Assert.That(await session.GetValueAsync("d", 0.0), Is.EqualTo(1.5));
            Assert.That(await session.GetJsonAsync<Dictionary<string, int>>("j"), Is.EqualTo(new Dictionary<string, int> { ["a"] = 1 }));
            Assert.That((await session.GetJsonAsync("j")).ToJsonString(), Is.EqualTo("""{"a":1}"""));
            Assert.That(await session.GetJsonOrAsync("n", (int[])[1]), Is.EqualTo(new[] { 1 }));
            Assert.That(await session.IsNoneAsync("n"), Is.False);
            Assert.That(await session.IsNoneAsync("absent"), Is.True);
        });
    }

    [Test]
    public async Task Several_keys_are_read_at_one_moment_by_key_and_by_position([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(session => { session.SetValue("a", 1); session.SetValue("@b", 2); });
        await browser.VisitAsync(async context =>
        {
            context.Session.SetValue("own", 3);
            var values = await context.Session.ReadAsync(["own", "@b", "absent", "a"]);
            Assert.That(values.Select(pair => pair.Value.Int), Is.EqualTo(new[] { 3, 2, 0, 1 }));
            Assert.That(values["a"].Int, Is.EqualTo(1));
            Assert.That(values[1].Int, Is.EqualTo(2));
            Assert.That(values["absent"].None, Is.True);
            Assert.That(() => values["not asked for"], Throws.InstanceOf<KeyNotFoundException>());
            Assert.That(await context.Session.ReadAsync([]), Is.Empty);
        });
    }

    [Test]
    public async Task Asynchronous_writes_are_seen_by_others_at_once_and_by_the_request_itself([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "gone");
        await browser.VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            await context.Session.SetValueAsync("n", 5);
            await context.Session.SetAsync(new Dictionary<string, byte[]> { ["x"] = "1"u8.ToArray(), ["y"] = [] });
            await context.Session.SetJsonAsync("j", new[] { 1, 2 });
            await context.Session.RemoveAsync("gone");
            Assert.That(context.Session.Keys, Is.EquivalentTo(["n", "x", "y", "j"]));
            Assert.That(context.Session.GetInt("n"), Is.EqualTo(5));

            Assert.That(await browser.ContentAsync(), Is.EqualTo("j=[1,2] n=5 x=1 y="));
        });
    }

    [Test]
    public async Task An_asynchronous_write_takes_along_what_was_set_before_so_that_the_order_stays([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("key", "first");
            context.Session.SetString("other", "1");
            await context.Session.SetAsync("key", "second"u8.ToArray());
        });
        Assert.That(await browser.ContentAsync(), Is.EqualTo("key=second other=1"));
    }

    [Test]
    public async Task An_unconfirmed_write_of_the_request_itself_is_what_it_reads([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "a");
        await browser.VisitAsync(async context =>
        {
            for (int i = 0; i < 100; i++)
            {
                context.Session.SetValue("a", i);
                Assert.That(context.Session.GetInt("a"), Is.EqualTo(i));
                Assert.That(await context.Session.GetIntAsync("a"), Is.EqualTo(i));
            }

            context.Session.Remove("a");
            Assert.That(context.Session.IsNone("a"), Is.True);
            Assert.That(await context.Session.IsNoneAsync("a"), Is.True);
            context.Session.SetString("b", "1");
            context.Session.Clear();
            Assert.That(await context.Session.IsNoneAsync("b"), Is.True);
            Assert.That(context.Session.Keys, Is.Empty);
        });
        Assert.That(await browser.ContentAsync(), Is.Empty);
    }

    [Test]
    public async Task A_live_write_is_in_Redis_without_waiting_for_the_end_of_the_request()
    {
        using var browser = await NewVisitorAsync(RedisSessionMode.Live);
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("key", "new");
            await Assert.ThatAsync(() => browser.GetStringAsync("key"), Is.EqualTo("new").After(5000, 5));
            Assert.That(context.Response.HasStarted, Is.False);
        });
    }

    [Test]
    public async Task Two_instances_of_an_application_share_their_sessions([Values] RedisSessionMode mode)
    {
        await using var second = await StartAsync(mode);
        using var browser = Apps[mode].NewBrowser();
        string id = await browser.SetStringAsync("cart", "tea");
        Assert.That(await browser.At(second).GetStringAsync("cart"), Is.EqualTo("tea"));
        Assert.That(await browser.SetStringAsync("cart", "coffee"), Is.EqualTo(id));
        Assert.That(await browser.At(Apps[mode]).GetStringAsync("cart"), Is.EqualTo("coffee"));
    }

    [Test]
    public async Task Of_64_parallel_requests_that_each_set_a_key_all_survive_ten_times_out_of_ten([Values] RedisSessionMode mode)
    {
        for (int round = 0; round < 10; round++)
        {
            using var browser = await NewVisitorAsync(mode, "start");
            await Task.WhenAll(Enumerable.Range(0, 64).Select(i => browser.VisitAsync(session => session.SetInt32($"key{i}", i))));
            Assert.That(await browser.VisitAsync(session => session.Keys.Count()), Is.EqualTo(65), $"round {round}");
        }
    }
}
