namespace RedisSession.Provider.Tests;

/// <summary>What the audit at the end of each run finds: if it found nothing, no other test would notice.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class ExpiryAuditTests(ServerKind kind)
{
    // Not one that the audit of the whole run looks for.
    private readonly string _prefix = $"{nameof(ExpiryAuditTests)}:{Guid.NewGuid()}:";
    private SharedServer _server = null!;

    [OneTimeSetUp]
    public async Task StartServer() => _server = await TestServers.GetAsync(kind);

    [TestCase(0)]
    [TestCase(3)]
    public async Task Key_without_expiry_is_found_in_any_database(int number)
    {
        var database = _server.Admin.GetDatabase(number);
        await database.MakeSessionAsync(_prefix + "mortal", new HashEntry("field", "value"));
        await database.HashSetAsync(_prefix + "immortal", "field", "value");

        var found = await ExpiryAudit.KeysWithoutExpiryAsync(_server.Admin, _prefix + "*");
        await database.KeyDeleteAsync([_prefix + "mortal", _prefix + "immortal"]);

        Assert.That(found, Is.EqualTo([$"{_prefix}immortal in database {number}"]));
    }

    [Test]
    public async Task Cache_entry_without_the_expiry_that_it_names_is_found_and_one_that_names_none_is_right()
    {
        var database = _server.Admin.GetDatabase();
        HashEntry[] Entry(long absolute, long sliding) => [new("absexp", absolute), new("sldexp", sliding), new("data", "value")];
        await database.HashSetAsync(_prefix + "absolute", Entry(absolute: 1, sliding: -1));
        await database.HashSetAsync(_prefix + "sliding", Entry(absolute: -1, sliding: 1));
        await database.HashSetAsync(_prefix + "for ever", Entry(absolute: -1, sliding: -1));
        await database.MakeSessionAsync(_prefix + "mortal", Entry(absolute: 1, sliding: 1));
        await database.HashSetAsync(_prefix + "no entry", "field", "value");
        await database.StringSetAsync(_prefix + "no hash", "value");

        var found = await ExpiryAudit.CacheEntriesWithoutExpiryAsync(_server.Admin, _prefix + "*");
        string[] names = ["absolute", "sliding", "for ever", "mortal", "no entry", "no hash"];
        await database.KeyDeleteAsync([.. names.Select(name => (RedisKey)(_prefix + name))]);

        Assert.That(found, Is.EquivalentTo([$"{_prefix}absolute in database 0", $"{_prefix}sliding in database 0"]));
    }
}
