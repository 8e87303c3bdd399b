namespace RedisSession.Provider.Tests;

/// <summary>Old and new instances beside each other while the application is deployed, and back again: as docs/migrating.md says it.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class SideBySideTests(ServerKind kind) : TakeoverFixture(kind)
{
    [Test]
    public async Task Old_instances_go_on_with_what_was_left_and_neither_side_sees_the_other([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        await browser.At(Apps[mode]).VisitAsync(session =>
        {
            Assert.That(session.GetInt32("count"), Is.EqualTo(41));
            session.SetInt32("count", 42);
            session.SetString("new", "1");
        });
        await browser.At(Old).VisitAsync(session =>
        {
            Assert.That(session.Keys, Is.EquivalentTo(OldKeys), "as it was when it was taken over");
            Assert.That(session.GetInt32("count"), Is.EqualTo(41));
            session.SetString("old", "1");
        });
        Assert.That(await KeysAsync(browser.At(Apps[mode])), Is.EqualTo((string[])[.. OldKeys, "new"]));
        Assert.That(await browser.VisitAsync(session => session.GetInt("count")), Is.EqualTo(42));
        Assert.That(await KeysAsync(browser.At(Old)), Is.EqualTo((string[])[.. OldKeys, "old"]));
    }

    [Test]
    public async Task What_an_old_instance_writes_before_the_takeover_comes_along([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        using var another = await LeaveAsync();
        await another.At(Apps[mode]).VisitAsync(session => session.GetString("name")); // the new ones are there already
        await browser.VisitAsync(session => session.SetInt32("count", 42));
        Assert.That(await browser.At(Apps[mode]).VisitAsync(session => session.GetInt32("count")), Is.EqualTo(42));
    }

    [Test]
    public async Task A_session_that_begins_at_an_old_instance_meanwhile_is_taken_over_too([Values] RedisSessionMode mode)
    {
        using var browser = await Old.NewVisitorAsync(key: "begun", value: "there");
        Assert.That(await browser.At(Apps[mode]).VisitAsync(session => session.GetString("begun")), Is.EqualTo("there"));
    }

    [Test]
    public async Task A_session_that_begins_here_is_empty_at_an_old_instance([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync(key: "begun", value: "here");
        Assert.That(await KeysAsync(browser.At(Old)), Is.Empty);

        // And what that instance writes under its cookie is not mixed into it.
        await browser.VisitAsync(session => session.SetString("old", "1"));
        Assert.That(await KeysAsync(browser.At(Apps[mode])), Is.EqualTo(["begun"]));
    }

    [Test]
    public async Task What_an_old_instance_clears_after_the_takeover_is_not_cleared_here([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        await browser.At(Apps[mode]).VisitAsync(session => session.GetString("name"));
        await browser.At(Old).VisitAsync(session => session.Clear());
        await CheckKeptAsync(browser.At(Apps[mode]));
    }

    [Test]
    public async Task Back_at_the_old_version_everybody_has_the_session_as_it_was_when_it_was_taken_over([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        string cookie = browser.SessionCookie!.Value;
        await browser.At(Apps[mode]).VisitAsync(session => session.SetString("name", "Bea"));
        await using var rolledBack = await StartOldAsync((await Stack.ServerAsync()).ConfigurationString, InstanceName);
        Assert.That(await browser.At(rolledBack).VisitAsync(session => session.GetString("name")), Is.EqualTo("Ann"));
        Assert.That(browser.SessionCookie!.Value, Is.EqualTo(cookie));
    }

    [Test]
    public async Task A_mark_stays_when_an_old_instance_writes_and_goes_with_the_blob([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        await browser.At(Apps[mode]).VisitAsync(session => session.GetString("name"));
        string? generation = await Redis.HashGetAsync(HashKeyOf(browser), "@gen");
        await browser.At(Old).VisitAsync(session => session.SetString("name", "Bea"));
        Assert.That((string?)await Redis.HashGetAsync(BlobKeyOf(browser), "taken"), Is.EqualTo(generation).And.Not.Null);

        // The blob has expired, and so has the hash. What an old instance begins then under the cookie is another session, and not marked.
        await Redis.KeyDeleteAsync([BlobKeyOf(browser), HashKeyOf(browser)]);
        await browser.VisitAsync(session => session.SetString("begun", "anew"));
        Assert.That(await KeysAsync(browser.At(Apps[mode])), Is.EqualTo(["begun"]));
    }
}
