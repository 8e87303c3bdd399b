namespace RedisSession.Provider.Tests;

/// <summary>The same where Redis cannot read the values.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class ProtectedAtomicTests(ServerKind kind) : BothModesFixture(kind)
{
    protected override void Configure(RedisHashSessionOptions options) => options.ProtectValues = true;

    [Test]
    public async Task Increments_are_not_lost([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(session => session.SetValue("n", 1));
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => browser.VisitAsync(context => context.Session.IncrementAsync("n", 2))));
        Assert.That(await browser.VisitAsync(session => session.GetInt("n")), Is.EqualTo(61));
    }

    [Test]
    public async Task What_cannot_be_incremented_stays([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(async context =>
        {
            await context.Session.SetValueAsync("text", "ten");
            await context.Session.SetValueAsync("most", long.MaxValue);
            Assert.That(() => context.Session.IncrementAsync("text"), Throws.InvalidOperationException);
            Assert.That(() => context.Session.IncrementAsync("most"), Throws.InstanceOf<OverflowException>());
            Assert.That(await context.Session.GetStrAsync("text"), Is.EqualTo("ten"));
        });
    }

    [Test]
    public async Task They_read_and_write_plainly_and_Redis_holds_neither([Values] RedisSessionMode mode, [Values] bool loaded)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(session => session.SetString("token", "plain token"));
        await browser.VisitAsync(async context =>
        {
            var session = context.Session;
            if (loaded) await session.LoadAsync();
            Assert.That(await session.TrySetValueAsync("first", "plain first"), Is.True);
            Assert.That(await session.TrySetValueAsync("first", "plain second"), Is.False);
            await session.UpdateJsonAsync<string[]>("list", list => [.. list ?? [], "plain item"]);
            await session.UpdateJsonAsync<string[]>("list", list => [.. list ?? [], "plain item"]);

            Assert.That(session.GetStr("first"), Is.EqualTo("plain first"));
            Assert.That(session.GetJsonOr<string[]>("list", []), Is.EqualTo(new[] { "plain item", "plain item" }));
            Assert.That(session.GetStr("token"), Is.EqualTo("plain token"));
            var stored = await Redis.HashValuesAsync(Stack.KeyOf(session.Id));
            Assert.That(stored.Select(value => value.ToString()), Has.None.Contains("plain"));

            Assert.That((await session.TakeAsync("token")).Str, Is.EqualTo("plain token"));
        });
    }
}
