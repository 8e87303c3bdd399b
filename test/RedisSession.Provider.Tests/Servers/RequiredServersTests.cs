namespace RedisSession.Provider.Tests;

[TestFixture]
internal sealed class RequiredServersTests
{
    private static readonly ServerKind[] Kinds = [new("redis-7.0.15"), new("redis-10.1.0")];

    [Test]
    public void Every_required_server_kind_is_present()
    {
        var required = Environment.GetEnvironmentVariable(RequiredServers.RequiredVariable);
        var found = string.Join(", ", TestServers.Kinds);
        Assert.That(RequiredServers.MissingFrom(TestServers.Kinds, required), Is.Empty, $"Missing; found {found}.");
    }

    [Test]
    public void Nothing_is_missing_where_nothing_is_required()
    {
        Assert.That(RequiredServers.MissingFrom(Kinds, null), Is.Empty);
    }

    [TestCase("redis-7")]
    [TestCase("redis-7.0")]
    [TestCase("redis-7.0.15")]
    [TestCase("redis-7; redis-10;")]
    public void Kind_is_required_by_a_leading_part_of_its_name(string required)
    {
        Assert.That(RequiredServers.MissingFrom(Kinds, required), Is.Empty);
    }

    [TestCase("redis-8")]
    [TestCase("redis-1")]
    [TestCase("redis-7.0.1")]
    [TestCase("valkey-7")]
    public void Kind_that_was_not_found_is_missing(string required)
    {
        Assert.That(RequiredServers.MissingFrom(Kinds, $"redis-7;{required}"), Is.EqualTo(new[] { required }));
    }
}
