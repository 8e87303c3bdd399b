namespace RedisSession.Provider.Tests;

[TestFixture]
internal sealed class ServerDiscoveryTests
{
    [Test]
    public void Embedded_server_is_always_found()
    {
        Assert.That(ServerDiscovery.Find(null), Does.Contain(ServerKind.Garnet));
    }

    [TestCaseSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
    public void Server_found_twice_is_one_kind(ServerKind kind)
    {
        var found = ServerDiscovery.Find($"{kind.Binary};{kind.Binary}");
        Assert.That(found.Count(other => other.Name == kind.Name), Is.EqualTo(1));
    }

    [TestCase("/nowhere/redis-server")]
    [TestCase("redis-server")]
    public void Named_server_that_is_not_there_is_an_error(string path)
    {
        Assert.That(() => ServerDiscovery.Find(path), Throws.InvalidOperationException.With.Message.Contains(path));
    }

    [Test]
    [Platform("Unix")]
    public void Executable_that_is_no_such_server_is_an_error()
    {
        Assert.That(() => ServerDiscovery.Find("/bin/sh"), Throws.InvalidOperationException.With.Message.Contains("/bin/sh"));
    }
}
