namespace RedisSession.Provider.Tests;

/// <summary>Of the servers of a run what no other test would notice.</summary>
internal sealed class TestServersTests
{
    private static readonly ServerKind[] Kinds = [new("redis-7.0.15"), new("redis-10.1.0")];

    [Test]
    public void Every_required_server_kind_is_present()
    {
        var required = Environment.GetEnvironmentVariable(ServerDiscovery.RequiredVariable);
        var found = string.Join(", ", TestServers.Kinds);
        Assert.That(ServerDiscovery.MissingFrom(TestServers.Kinds, required), Is.Empty, $"Missing; found {found}.");
    }

    [TestCase("redis-8")]
    [TestCase("redis-1")]
    [TestCase("redis-7.0.1")]
    [TestCase("valkey-7")]
    public void Kind_that_was_not_found_is_missing(string required) =>
        Assert.That(ServerDiscovery.MissingFrom(Kinds, $"redis-7;{required}"), Is.EqualTo([required]));

    [TestCase("/nowhere/redis-server")]
    [TestCase("redis-server")]
    [TestCase("/bin/sh", IncludePlatform = "Unix")]
    public void Named_server_that_is_none_is_an_error(string path) =>
        Assert.That(() => ServerDiscovery.Find(path), Throws.InvalidOperationException.With.Message.Contains(path));

    [TestCaseSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
    public void Server_found_twice_is_one_kind(ServerKind kind) =>
        Assert.That(ServerDiscovery.Find($"{kind.Binary};{kind.Binary}").Select(found => found.Name), Has.Exactly(1).EqualTo(kind.Name));

    [TestCaseSource(typeof(TestServers), nameof(TestServers.Kinds))]
    public async Task All_who_ask_at_once_share_one_server(ServerKind kind)
    {
        var servers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => TestServers.GetAsync(kind))));
        Assert.That(servers.Distinct().Select(server => server.Kind), Is.EqualTo([kind]));
    }

    [TestCaseSource(typeof(TestServers), nameof(TestServers.Kinds))]
    public async Task Script_runs_as_one_step(ServerKind kind)
    {
        const int Clients = 4;
        const int Rounds = 200;
        const string Increment = """
            local n = tonumber(redis.call('GET', KEYS[1]) or '0')
            for _ = 1, 5000 do end -- Time for others to come in between.
            redis.call('SET', KEYS[1], n + 1)
            """;
        var server = await TestServers.GetAsync(kind);
        string key = $"{nameof(TestServersTests)}:{Guid.NewGuid()}";

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString);
            for (int round = 0; round < Rounds; round++)
                await connection.GetDatabase().ScriptEvaluateAsync(Increment, [key]);
        }));

        Assert.That((int)await server.Admin.GetDatabase().StringGetDeleteAsync(key), Is.EqualTo(Clients * Rounds));
    }
}
