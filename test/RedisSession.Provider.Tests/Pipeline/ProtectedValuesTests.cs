namespace RedisSession.Provider.Tests;

/// <summary>Values encrypted at rest, each for the session it belongs to.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class ProtectedValuesTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    private TestApp _plain = null!;

    [OneTimeSetUp]
    public async Task StartPlainApp() => _plain = Owned.Add(await Stack.StartAsync());

    protected override void Configure(RedisHashSessionOptions options) => options.ProtectValues = true;

    [Test]
    public async Task What_Redis_holds_does_not_show_the_value_and_every_read_does([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        string id = await browser.VisitAsync(async context =>
        {
            context.Session.SetString("sync", "secret one");
            context.Session.Set("empty", []);
            await context.Session.SetAsync("async", "secret two"u8.ToArray());
            return context.Session.Id;
        });
        var hash = await Redis.HashGetAllAsync(Stack.KeyOf(id));
        Assert.That(string.Join('\n', hash.Select(entry => entry.Value.ToString())), Does.Not.Contain("secret"));
        await browser.VisitAsync(async context =>
        {
            Assert.That(context.Session.GetString("sync"), Is.EqualTo("secret one"));
            Assert.That(await context.Session.GetStrAsync("async"), Is.EqualTo("secret two"));
            var values = await context.Session.ReadAsync(["sync", "async", "empty"]);
            Assert.That(values.Values.Select(value => value.Str), Is.EqualTo(["secret one", "secret two", ""]));
            Assert.That(values["empty"].None, Is.False);
            await context.Session.LoadAsync();
            Assert.That(context.Session.Keys, Is.EquivalentTo(["sync", "async", "empty"]));
        });
    }

    [Test]
    public async Task Values_from_before_it_was_switched_on_are_read_and_encrypted_by_the_next_set([Values] RedisSessionMode mode)
    {
        using var browser = _plain.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.SetString("a", "plain a");
            session.SetString("b", "plain b");
            session.SetInt32("mark", 0x00647031); // the four bytes that mark what is protected
            return session.Id;
        });
        await browser.At(Apps[mode]).VisitAsync(session =>
        {
            Assert.That(session.GetString("a"), Is.EqualTo("plain a"));
            Assert.That(session.GetInt32("mark"), Is.EqualTo(0x00647031));
            session.SetString("a", "plain a");
        });
        Assert.That(Text(await Redis.HashGetAsync(Stack.KeyOf(id), "a")), Does.Not.Contain("plain"));
        Assert.That(Text(await Redis.HashGetAsync(Stack.KeyOf(id), "b")), Is.EqualTo("plain b"));
        Assert.That(await browser.GetStringAsync("a"), Is.EqualTo("plain a"));
    }

    [Test]
    public async Task A_value_that_is_moved_to_another_session_or_damaged_reads_as_absent_and_is_logged([Values] RedisSessionMode mode)
    {
        var app = Apps[mode];
        using var rich = await NewVisitorAsync(mode, "balance", "1000000");
        using var poor = await NewVisitorAsync(mode, "balance", "0");
        byte[] stolen = (byte[])(await Redis.HashGetAsync(KeyOf(rich), "balance"))!;
        await Redis.HashSetAsync(KeyOf(poor), "balance", stolen);
        byte[] damaged = [.. stolen];
        damaged[^1] ^= 1;
        await Redis.HashSetAsync(KeyOf(rich), "balance", damaged);

        foreach (var browser in new[] { rich, poor })
        {
            await browser.VisitAsync(async context =>
            {
                Assert.That(context.Session.IsNone("balance"), Is.True);
                Assert.That(context.Session.Keys, Is.Empty);
                Assert.That(await context.Session.IsNoneAsync("balance"), Is.True);
            });
            Assert.That(app.Logs.Of(SessionEvents.ValueUnreadable).Select(entry => entry.Message), Has.Some.Contains(browser.SessionId));
        }
    }

    private static string Text(RedisValue value) => System.Text.Encoding.Latin1.GetString((byte[])value!);
}
