namespace RedisSession.Provider.Tests;

/// <summary>What a session looks like to somebody who looks into Redis.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class HashInRedisTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    [Test]
    public async Task Each_session_key_is_a_field_with_a_readable_value()
    {
        using var browser = App.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.SetValue("visits", 3);
            session.SetValue("member", true);
            session.SetString("name", "Zoë");
            session.SetString("@odd", "1");
            session.SetJson("cart", new { Tea = 2, Note = "ö" });
            return session.Id;
        });

        var hash = (await Redis.HashGetAllAsync(Stack.KeyOf(id))).ToDictionary(entry => (string)entry.Name!, entry => (string)entry.Value!);
        using var all = Assert.EnterMultipleScope();
        Assert.That(hash.Keys, Is.EquivalentTo(["@gen", "@created", "visits", "member", "name", "@@odd", "cart"]));
        Assert.That(hash["visits"], Is.EqualTo("3"));
        Assert.That(hash["member"], Is.EqualTo("True"));
        Assert.That(hash["name"], Is.EqualTo("Zoë"));
        Assert.That(hash["cart"], Is.EqualTo("""{"tea":2,"note":"ö"}"""));
        Assert.That(hash["@gen"], Has.Length.EqualTo(8));
        var created = DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(hash["@created"], CultureInfo.InvariantCulture));
        Assert.That(created, Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public async Task What_another_program_writes_into_the_hash_is_read()
    {
        using var browser = await App.NewVisitorAsync(key: "visits", value: "3");
        await Redis.HashIncrementAsync(KeyOf(browser), "visits", 4);
        await Redis.HashSetAsync(KeyOf(browser), "from", "elsewhere");
        Assert.That(await browser.VisitAsync(session => session.GetInt("visits")), Is.EqualTo(7));
        Assert.That(await browser.VisitAsync(session => session.GetStr("from")), Is.EqualTo("elsewhere"));
    }

    [Test]
    public async Task Removing_the_last_key_or_clearing_keeps_the_session_and_its_user()
    {
        using var browser = await App.NewVisitorAsync(key: "only");
        var key = KeyOf(browser);
        await Redis.HashSetAsync(key, "@user", "ann");
        var marks = await Redis.HashGetAsync(key, ["@gen", "@created"]);
        foreach (var change in (Action<ISession>[])[session => session.Remove("only"), session => session.Clear()])
        {
            await browser.VisitAsync(change);
            Assert.That((await Redis.HashKeysAsync(key)).Select(field => (string?)field), Is.EquivalentTo(["@gen", "@created", "@user"]));
        }

        Assert.That(await Redis.HashGetAsync(key, ["@gen", "@created"]), Is.EqualTo(marks));
        Assert.That(await Redis.KeyTimeToLiveAsync(key), Is.Not.Null);
    }

    [Test]
    public async Task Clearing_or_removing_from_a_session_that_does_not_exist_creates_none()
    {
        using var browser = App.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.Clear();
            session.Remove("key");
            return session.Id;
        });
        Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(id)), Is.False);
    }
}
