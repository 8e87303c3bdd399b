using static RedisSession.Provider.Tests.CacheAccessExtensions;

namespace RedisSession.Provider.Tests;

/// <summary>Cache entries on a cluster of three primaries.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class CacheClusterTests(ServerKind kind)
{
    private readonly string _instanceName = CacheStack.NewInstanceName();
    private RedisCluster _cluster = null!;
    private RunningCache _running = null!;

    [OneTimeSetUp]
    public async Task StartAll()
    {
        _cluster = await RedisCluster.StartAsync(kind);
        _running = CacheStack.OfOurs(kind).Start(_cluster.ConfigurationString, _instanceName);
    }

    [OneTimeTearDown]
    public async Task StopAll()
    {
        await _running.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Test]
    public async Task Entries_of_all_slots_are_set_got_refreshed_and_removed()
    {
        var keys = Enumerable.Range(0, 300).Select(i => $"key{i}").ToArray();
        var accesses = Enum.GetValues<CacheAccess>();
        for (int i = 0; i < keys.Length; i++)
        {
            var access = accesses[i % accesses.Length];
            byte[] value = new byte[i % 2 == 0 ? 10 : 10_000];
            BitConverter.TryWriteBytes(value, i);
            await access.SetAsync(_running.Cache, keys[i], value, TenMinutes);
            Assert.That(await access.GetAsync(_running.Cache, keys[i]), Is.EqualTo(value));
            await access.RefreshAsync(_running.Cache, keys[i]);
        }

        var counts = await Task.WhenAll((await _cluster.PrimariesAsync()).Select(async primary =>
            (await Resp.AskAsync(primary.Port, "KEYS", _instanceName + "*")).Items!.Count));
        Assert.That(counts, Has.All.GreaterThan(0));
        Assert.That(counts.Sum(), Is.EqualTo(keys.Length));

        foreach (string key in keys) await _running.Cache.RemoveAsync(key);
        Assert.That(await _running.Cache.GetAsync(keys[0]), Is.Null);
    }

    /// <summary>What is not there while its slot moves is the other server's: a script cannot remove its key and create it again.</summary>
    [Test]
    public async Task An_entry_is_replaced_where_it_is_before_it_moves_with_its_slot([Values] bool expires, [Values(10, 10_000)] int size)
    {
        string key = $"replaced {expires} {size}", entry = _instanceName + key;
        await _running.Cache.SetAsync(key, [1], TenMinutes);
        var old = await _cluster.PrimaryOfAsync(entry);
        await Resp.AskAsync(old.Port, "HSET", entry, "another", "1");
        byte[] value = new byte[size];
        await _cluster.MoveSlotAsync(entry, workBefore: async () =>
        {
            await _running.Cache.SetAsync(key, value, expires ? TenMinutes : new());
            Assert.That((await Resp.AskAsync(old.Port, "HLEN", entry)).Number, Is.EqualTo(3));
            int left = (await Resp.AskAsync(old.Port, "PTTL", entry)).Number;
            Assert.That(left, expires ? Is.InRange(500_000, 600_000) : Is.EqualTo(-1));
            Assert.That(await _running.Cache.GetAsync(key), Is.EqualTo(value));
        });
        Assert.That(await _running.Cache.GetAsync(key), Is.EqualTo(value));
        await _running.Cache.RemoveAsync(key);
    }

    [Test]
    public async Task An_entry_whose_slot_moves_is_found_where_it_is()
    {
        foreach (var access in Enum.GetValues<CacheAccess>())
        {
            string key = $"moving {access}";
            byte[] large = [.. Enumerable.Range(0, 10_000).Select(i => (byte)i)];
            await access.SetAsync(_running.Cache, key, [1], TenMinutes);
            await _cluster.MoveSlotAsync(_instanceName + key, async () =>
            {
                // Each call meets two answers more than usual: that the entry is elsewhere, and that there is no such script there.
                foreach (var primary in await _cluster.PrimariesAsync()) await Resp.AskAsync(primary.Port, "SCRIPT", "FLUSH");
                Assert.That(await access.GetAsync(_running.Cache, key), Is.EqualTo(new byte[] { 1 }));
                await access.SetAsync(_running.Cache, key, [2], TenMinutes);
                Assert.That(await access.GetAsync(_running.Cache, key), Is.EqualTo(new byte[] { 2 }));
                await access.SetAsync(_running.Cache, key, large, TenMinutes);
                await access.RefreshAsync(_running.Cache, key);
            });
            Assert.That(await access.GetAsync(_running.Cache, key), Is.EqualTo(large));
            large[0]++;
            await access.SetAsync(_running.Cache, key, large, TenMinutes);
            Assert.That(await access.GetAsync(_running.Cache, key), Is.EqualTo(large));
            int port = (await _cluster.PrimaryOfAsync(_instanceName + key)).Port;
            Assert.That((await Resp.AskAsync(port, "PTTL", _instanceName + key)).Number, Is.InRange(500_000, 600_000));
            await access.RemoveAsync(_running.Cache, key);
        }
    }
}
