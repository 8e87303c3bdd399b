using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class TestServersTests(ServerKind kind)
{
    [Test]
    public async Task All_who_ask_at_once_share_one_server()
    {
        var servers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => TestServers.GetAsync(kind))));

        Assert.That(servers.Distinct().Count(), Is.EqualTo(1));
        Assert.That(servers[0].Kind, Is.EqualTo(kind));
    }

    [Test]
    public async Task Script_runs_as_one_step()
    {
        const int Clients = 4;
        const int Rounds = 200;
        const string Increment = """
            local n = tonumber(redis.call('GET', KEYS[1]) or '0')
            for _ = 1, 5000 do end -- Time for others to come in between.
            redis.call('SET', KEYS[1], n + 1)
            """;
        var server = await TestServers.GetAsync(kind);
        var key = $"{nameof(TestServersTests)}:{Guid.NewGuid()}";

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString);
            for (var round = 0; round < Rounds; round++)
                await connection.GetDatabase().ScriptEvaluateAsync(Increment, [key]);
        }));

        Assert.That((int)await server.Admin.GetDatabase().StringGetDeleteAsync(key), Is.EqualTo(Clients * Rounds));
    }
}
