using static RedisSession.Provider.Tests.CacheAccessExtensions;

namespace RedisSession.Provider.Tests;

/// <summary>A Redis user with the rights that docs/operating.md names for the cache, and no more.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class CacheAclTests(ServerKind kind)
{
    private const string Password = "acl-password";

    /// <summary>As in the documentation: ClaimTests.</summary>
    internal static readonly string[] Rights =
    [
        "~app:cache:*", "-@all", "+@connection", "+hget", "+hmget", "+hkeys", "+hset", "+hdel", "+pexpire", "+persist", "+unlink",
        "+eval", "+evalsha", "+multi", "+exec",
    ];

    [Test]
    public async Task Those_rights_are_enough_for_all_that_the_cache_does()
    {
        await using var server = await StartAsync(Rights);
        await using var running = Start(server, "app:cache:");
        foreach (var access in Enum.GetValues<CacheAccess>())
        {
            await access.SetAsync(running.Cache, "key", [1], TenMinutes);
            Assert.That(await access.GetAsync(running.Cache, "key"), Is.EqualTo(new byte[] { 1 }));
            await access.RefreshAsync(running.Cache, "key");
            await access.SetAsync(running.Cache, "key", [1], new());
            await access.SetAsync(running.Cache, "key", new byte[10_000], TenMinutes);
            await access.SetAsync(running.Cache, "key", new byte[10_000], new() { SlidingExpiration = TimeSpan.FromMilliseconds(600_001) });
            await access.RemoveAsync(running.Cache, "key");
        }
    }

    // But +exec, without which large values are set in the slower way that is there for clusters.
    [Test]
    public async Task None_of_them_can_be_spared(
        [Values("+hget", "+hmget", "+hkeys", "+hset", "+pexpire", "+persist", "+unlink", "+eval", "+evalsha", "+multi")] string right)
    {
        await using var server = await StartAsync([.. Rights.Where(one => one != right)]);
        await using var running = Start(server, "app:cache:");
        Assert.That(
            async () =>
            {
                await running.Cache.SetAsync("key", [1], TenMinutes);
                await running.Cache.SetAsync("key", new byte[10_000], TenMinutes);
                await running.Cache.GetAsync("key");
                await running.Cache.SetAsync("key", [1], new());
                await running.Cache.RemoveAsync("key");
            },
            Throws.InstanceOf<RedisException>());
    }

    /// <summary>The script replaces the entry in place, and Redis does not roll back.</summary>
    [Test]
    public async Task Without_the_right_to_remove_what_is_left_of_an_entry_it_stays_as_it_is([Values("+hdel", "+persist")] string right)
    {
        await using var server = await StartAsync([.. Rights.Where(one => one != right)]);
        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{server.ConfigurationString},user=admin,password={Password}");
        await using var running = Start(server, "app:cache:");
        await running.Cache.SetAsync("key", [1], TenMinutes);
        if (right == "+hdel") await admin.GetDatabase().HashSetAsync("app:cache:key", "another", 1);
        Assert.That(() => running.Cache.SetAsync("key", [2], new()), Throws.InstanceOf<RedisServerException>());
        Assert.That(await running.Cache.GetAsync("key"), Is.EqualTo(new byte[] { 1 }));
        Assert.That(await admin.GetDatabase().KeyTimeToLiveAsync("app:cache:key"), Is.Not.Null);
    }

    /// <summary>The client learns of it only when the commands of the transaction have been executed, one by one.</summary>
    [Test]
    public async Task Without_the_right_to_transactions_the_error_names_it()
    {
        await using var server = await StartAsync([.. Rights.Where(one => one != "+multi")]);
        await using var running = Start(server, "app:cache:");
        foreach (var access in Enum.GetValues<CacheAccess>())
        {
            Assert.That(
                async () => await access.SetAsync(running.Cache, "key", new byte[10_000], TenMinutes),
                Throws.InstanceOf<RedisServerException>().With.Message.Contains("NOPERM").And.Message.Contains("+multi"));
            await access.SetAsync(running.Cache, "key", [1], TenMinutes);
        }
    }

    [Test]
    public async Task Keys_outside_the_instance_name_are_out_of_reach()
    {
        await using var server = await StartAsync(Rights);
        await using var running = Start(server, "other:");
        Assert.That(() => running.Cache.GetAsync("key"), Throws.InstanceOf<RedisServerException>().With.Message.Contains("NOPERM"));
    }

    private async Task<ServerProcess> StartAsync(string[] rights)
    {
        var server = await ServerProcess.StartAsync(kind);
        await server.AskAsync("ACL", "SETUSER", "admin", "on", $">{Password}", "~*", "&*", "+@all");
        await server.AskAsync(["ACL", "SETUSER", "cache", "on", $">{Password}", "resetkeys", "resetchannels", .. rights]);
        await server.AskAsync("ACL", "SETUSER", "default", "off");
        return server;
    }

    private RunningCache Start(ServerProcess server, string instanceName) =>
        CacheStack.OfOurs(kind).Start($"redis://cache:{Password}@{server.ConfigurationString}", instanceName);
}
