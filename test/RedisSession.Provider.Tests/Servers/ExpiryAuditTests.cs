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
