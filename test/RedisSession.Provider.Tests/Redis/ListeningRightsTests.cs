namespace RedisSession.Provider.Tests;

/// <summary>What the scripts of listening leave behind when a right is missing: what there was.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class ListeningRightsTests(ServerKind kind)
{
    private static readonly string[] Rights = ["hget", "hgetall", "hset", "hdel", "pexpire", "time", "eval", "evalsha"];

    [Test]
    public async Task All_of_it_happens_or_nothing_whichever_right_is_missing([ValueSource(nameof(Rights))] string missing, [Values] bool ends)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString + ",allowAdmin=true");
        string[] rules = ["on", ">password", "~*", "-@all", "+@connection", .. Rights.Except([missing]).Select(right => "+" + right)];
        await server.AskAsync(["ACL", "SETUSER", "poor", .. rules]);
        foreach (string key in (string[])["filled", "empty"])
        {
            if (key == "filled")
            {
                await admin.GetDatabase().HashSetAsync(key, [new("me", "1 2 1"), new("gone", "1 2 1"), new("@until", "1")]);
                await admin.GetDatabase().KeyExpireAsync(key, TimeSpan.FromHours(1));
            }

            string before = await ContentAsync(key);
            await using var poor = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString + ",user=poor,password=password");
            var record = new ListeningRecord(poor.GetDatabase(), key);
            try
            {
                if (ends) await record.EndAsync("me");
                else await record.BeatAsync("me", begins: true, TimeSpan.FromMinutes(1));
            }
            catch (RedisServerException)
            {
                Assert.That(await ContentAsync(key), Is.EqualTo(before));
            }

            var keys = admin.GetServers().Single().KeysAsync();
            await foreach (var left in keys) Assert.That((await admin.GetDatabase().KeyTimeToLiveAsync(left)).HasValue, Is.True, left.ToString());
        }

        async Task<string> ContentAsync(string key) =>
            string.Join('\n', (await admin.GetDatabase().HashGetAllAsync(key)).Select(entry => entry.ToString()).Order(StringComparer.Ordinal));
    }
}
