using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class ExpiryAuditTests(ServerKind kind)
{
    // Not one that the audit of the whole run looks for.
    private readonly string _prefix = $"{nameof(ExpiryAuditTests)}:{Guid.NewGuid()}:";

    [TestCase(0)]
    [TestCase(3)]
    public async Task Key_without_expiry_is_found_in_any_database(int number)
    {
        var server = await TestServers.GetAsync(kind);
        var database = server.Admin.GetDatabase(number);
        var mortal = _prefix + "mortal";
        var immortal = _prefix + "immortal";
        await database.HashSetAsync(mortal, "field", "value");
        await database.KeyExpireAsync(mortal, TimeSpan.FromMinutes(10));
        await database.HashSetAsync(immortal, "field", "value");

        var found = await ExpiryAudit.KeysWithoutExpiryAsync(server.Admin, _prefix + "*");
        await database.KeyDeleteAsync([mortal, immortal]);

        Assert.That(found, Is.EqualTo(new[] { $"{immortal} in database {number}" }));
    }

    [Test]
    public async Task Cache_entry_without_the_expiry_that_it_names_is_found_and_one_that_names_none_is_right()
    {
        var server = await TestServers.GetAsync(kind);
        var database = server.Admin.GetDatabase();
        await WriteAsync("absolute", absolute: 1, sliding: -1);
        await WriteAsync("sliding", absolute: -1, sliding: 1);
        await WriteAsync("for ever", absolute: -1, sliding: -1);
        await WriteAsync("mortal", absolute: 1, sliding: 1);
        await database.KeyExpireAsync(_prefix + "mortal", TimeSpan.FromMinutes(10));
        await database.HashSetAsync(_prefix + "no entry", "field", "value");
        await database.StringSetAsync(_prefix + "no hash", "value");

        var found = await ExpiryAudit.CacheEntriesWithoutExpiryAsync(server.Admin, _prefix + "*");
        string[] names = ["absolute", "sliding", "for ever", "mortal", "no entry", "no hash"];
        await database.KeyDeleteAsync([.. names.Select(name => (RedisKey)(_prefix + name))]);

        Assert.That(found, Is.EquivalentTo([$"{_prefix}absolute in database 0", $"{_prefix}sliding in database 0"]));

        Task WriteAsync(string name, long absolute, long sliding) =>
            database.HashSetAsync(_prefix + name, [new("absexp", absolute), new("sldexp", sliding), new("data", "value")]);
    }

    [Test]
    public async Task More_keys_than_one_page_are_all_looked_at()
    {
        const int Keys = 2500;
        var server = await TestServers.GetAsync(kind);
        var database = server.Admin.GetDatabase();
        var names = Enumerable.Range(0, Keys).Select(number => $"{_prefix}{number}").ToArray();
        await Task.WhenAll(names.Select(name => database.StringSetAsync(name, "value")));

        var found = await ExpiryAudit.KeysWithoutExpiryAsync(server.Admin, _prefix + "*");
        await Task.WhenAll(names.Select(name => database.KeyDeleteAsync(name)));

        Assert.That(found.Distinct().Count(), Is.EqualTo(Keys));
    }
}
