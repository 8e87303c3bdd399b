using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>What a session looks like to somebody who looks into Redis.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
[Parallelizable]
internal sealed class HashInRedisTests(ServerKind kind, Pipeline pipeline)
{
    private readonly OurStack _stack = new(kind, pipeline);
    private TestApp _app = null!;
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task StartApp()
    {
        _app = await _stack.StartAsync();
        _redis = await _stack.DatabaseAsync();
    }

    [OneTimeTearDown]
    public async Task StopApp() => await _app.DisposeAsync();

    [Test]
    public async Task Each_session_key_is_a_field_with_a_readable_value()
    {
        using var browser = _app.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.SetValue("visits", 3);
            session.SetValue("member", true);
            session.SetString("name", "Zoë");
            session.SetString("@odd", "1");
            session.SetJson("cart", new { Tea = 2, Note = "ö" });
            return session.Id;
        });

        var hash = (await _redis.HashGetAllAsync(_stack.KeyOf(id))).ToDictionary(entry => (string)entry.Name!, entry => (string)entry.Value!);
        Assert.Multiple(() =>
        {
            Assert.That(hash.Keys, Is.EquivalentTo(["@gen", "@created", "visits", "member", "name", "@@odd", "cart"]));
            Assert.That(hash["visits"], Is.EqualTo("3"));
            Assert.That(hash["member"], Is.EqualTo("True"));
            Assert.That(hash["name"], Is.EqualTo("Zoë"));
            Assert.That(hash["cart"], Is.EqualTo("""{"tea":2,"note":"ö"}"""));
            Assert.That(hash["@gen"], Has.Length.EqualTo(8));
            Assert.That(
                DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(hash["@created"], System.Globalization.CultureInfo.InvariantCulture)),
                Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));
        });
    }

    [Test]
    public async Task What_another_program_writes_into_the_hash_is_read()
    {
        using var browser = _app.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.SetValue("visits", 3);
            return session.Id;
        });
        await _redis.HashIncrementAsync(_stack.KeyOf(id), "visits", 4);
        await _redis.HashSetAsync(_stack.KeyOf(id), "from", "elsewhere");
        Assert.That(await browser.VisitAsync(session => session.GetInt("visits")), Is.EqualTo(7));
        Assert.That(await browser.VisitAsync(session => session.GetStr("from")), Is.EqualTo("elsewhere"));
    }

    [Test]
    public async Task Removing_the_last_key_or_clearing_does_not_end_the_session()
    {
        using var browser = _app.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.SetString("only", "1");
            return session.Id;
        });
        var (generation, created) = await MarksAsync(id);

        await browser.VisitAsync(session => session.Remove("only"));
        Assert.That(await FieldsAsync(id), Is.EquivalentTo(["@gen", "@created"]));
        await browser.VisitAsync(session => session.Clear());
        Assert.That(await FieldsAsync(id), Is.EquivalentTo(["@gen", "@created"]));
        Assert.That(await MarksAsync(id), Is.EqualTo((generation, created)));
        Assert.That(await _redis.KeyTimeToLiveAsync(_stack.KeyOf(id)), Is.Not.Null);
    }

    [Test]
    public async Task Clear_keeps_the_mark_of_the_user()
    {
        using var browser = _app.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.SetString("key", "1");
            return session.Id;
        });
        await _redis.HashSetAsync(_stack.KeyOf(id), "@user", "ann");
        await browser.VisitAsync(session => session.Clear());
        Assert.That(await FieldsAsync(id), Is.EquivalentTo(["@gen", "@created", "@user"]));
    }

    [Test]
    public async Task Clearing_or_removing_from_a_session_that_does_not_exist_creates_none()
    {
        using var browser = _app.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.Clear();
            session.Remove("key");
            return session.Id;
        });
        Assert.That(await _redis.KeyExistsAsync(_stack.KeyOf(id)), Is.False);
    }

    private async Task<string[]> FieldsAsync(string id) => [.. (await _redis.HashKeysAsync(_stack.KeyOf(id))).Select(field => (string)field!)];

    private async Task<(string?, string?)> MarksAsync(string id)
    {
        var marks = await _redis.HashGetAsync(_stack.KeyOf(id), ["@gen", "@created"]);
        return (marks[0], marks[1]);
    }
}
