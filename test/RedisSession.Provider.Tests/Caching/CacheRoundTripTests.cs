using System.Buffers;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Caching.Distributed;
using static RedisSession.Provider.Tests.CacheAccessExtensions;

namespace RedisSession.Provider.Tests;

/// <summary>
/// What each call costs, by the server's own word, in RedisCache and in ours. (Of a transaction what names the key; MULTI and EXEC are
/// around it.)
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable] // what goes in one flight depends on who has the processor
internal sealed class CacheRoundTripTests(ServerKind kind)
{
    private static readonly DistributedCacheEntryOptions Sliding = TenMinutes;
    private static readonly DistributedCacheEntryOptions FromNow = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(10) };

    private readonly string _instanceName = CacheStack.NewInstanceName();
    private SharedServer _server = null!;
    private RunningCache _theirs = null!;
    private RunningCache _ours = null!;
    private CommandMonitor _monitor = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        // Of its own, because some tests make it forget its scripts.
        _server = await SharedServer.StartAsync(kind);
        _theirs = CacheStack.OfStock(kind).Start(_server.ConfigurationString, _instanceName);
        _ours = CacheStack.OfOurs(kind).Start(_server.ConfigurationString, _instanceName);
        _monitor = await CommandMonitor.StartAsync(_server);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _monitor.DisposeAsync();
        await _theirs.DisposeAsync();
        await _ours.DisposeAsync();
        await _server.DisposeAsync();
    }

    private static IEnumerable<TestCaseData> Calls()
    {
        TestCaseData Call(string name, Func<IBufferDistributedCache, Task> call, string theirs, string ours) =>
            new TestCaseData(call, theirs, ours).SetArgDisplayNames(name, theirs, ours);

        // All in one flight: see below.
        yield return Call("get", cache => cache.GetAsync("still"), theirs: "HMGET", ours: "HGET EVALSHA");
        yield return Call("get sliding", cache => cache.GetAsync("sliding"), theirs: "HMGET EXPIRE", ours: "HGET EVALSHA");
        yield return Call("get nothing", cache => cache.GetAsync("nothing"), theirs: "HMGET", ours: "HGET EVALSHA");
        yield return Call(
            "get sliding into a buffer", cache => cache.TryGetAsync("sliding", new ArrayBufferWriter<byte>()).AsTask(),
            theirs: "HMGET HGET EXPIRE", ours: "HGET EVALSHA");
        yield return Call("refresh", cache => cache.RefreshAsync("sliding"), theirs: "HMGET EXPIRE", ours: "EVALSHA");
        yield return Call("set", cache => cache.SetAsync("still", [2], FromNow), theirs: "HMSET EXPIRE", ours: "EVALSHA");
        yield return Call("set sliding", cache => cache.SetAsync("sliding", [2], Sliding), theirs: "HMSET EXPIRE", ours: "EVALSHA");
        yield return Call(
            "set large", cache => cache.SetAsync("still", new byte[5000], FromNow), theirs: "HMSET EXPIRE", ours: "UNLINK HSET PEXPIRE");
        yield return Call("set large for ever", SetAndRemoveAsync, theirs: "HMSET UNLINK", ours: "UNLINK HSET UNLINK");
        yield return Call("remove", cache => cache.RemoveAsync("nothing"), theirs: "UNLINK", ours: "UNLINK");
        yield return Call(
            "get sliding, blocking", cache => Task.FromResult(cache.Get("sliding")), theirs: "HMGET EXPIRE", ours: "HGET EVALSHA");
        yield return Call(
            "set, blocking", cache => Blocking(() => cache.Set("still", [2], FromNow)), theirs: "HMSET EXPIRE", ours: "EVALSHA");
        yield return Call("refresh, blocking", cache => Blocking(() => cache.Refresh("sliding")), theirs: "HMGET EXPIRE", ours: "EVALSHA");
        yield return Call("remove, blocking", cache => Blocking(() => cache.Remove("nothing")), theirs: "UNLINK", ours: "UNLINK");

        static async Task SetAndRemoveAsync(IBufferDistributedCache cache)
        {
            await cache.SetAsync("for ever", new byte[5000], new());
            await cache.RemoveAsync("for ever");
        }
    }

    [TestCaseSource(nameof(Calls))]
    public async Task A_call_to(Func<IBufferDistributedCache, Task> call, string theirs, string ours)
    {
        foreach (var (cache, expected) in new[] { (_theirs.Cache, theirs), (_ours.Cache, ours) })
        {
            await cache.SetAsync("still", [1], FromNow);
            await cache.SetAsync("sliding", [1], Sliding);
            var seen = await _monitor.CommandsDuringAsync(_instanceName, () => call(cache));
            Assert.That(string.Join(' ', seen), Is.EqualTo(expected));
        }
    }

    [Test]
    public async Task A_server_that_has_forgotten_the_scripts_is_sent_them_again([Values] CacheAccess access)
    {
        string key = Guid.NewGuid().ToString("N");
        var seen = new List<string>();
        async Task ForgettingAsync(Func<Task> call)
        {
            await _server.Admin.GetDatabase().ExecuteAsync("SCRIPT", "FLUSH");
            seen.AddRange(await _monitor.CommandsDuringAsync(_instanceName, call));
        }

        await ForgettingAsync(() => access.SetAsync(_ours.Cache, key, [1], Sliding));
        await ForgettingAsync(async () => Assert.That(await access.GetAsync(_ours.Cache, key), Is.EqualTo(new byte[] { 1 })));
        await ForgettingAsync(() => access.RefreshAsync(_ours.Cache, key));
        Assert.That(seen.Where(name => name != "HGET"), Is.EqualTo(["EVALSHA", "EVAL", "EVALSHA", "EVAL", "EVALSHA", "EVAL"]));
    }

    [Test]
    public async Task A_refresh_does_not_move_the_data()
    {
        await using var relay = new Relay(_server.ConfigurationString);
        await using var running = CacheStack.OfOurs(kind).Start(relay.Address, _instanceName, outageTolerance: TimeSpan.Zero);
        await running.Cache.SetAsync("large", new byte[1024 * 1024], Sliding);
        relay.CutAfter(10 * 1024);
        await running.Cache.RefreshAsync("large");
        Assert.That(() => running.Cache.GetAsync("large"), Throws.InstanceOf<RedisException>(), "the relay cuts what does move it");
    }

    private static IEnumerable<TestCaseData> Flights()
    {
        TestCaseData Flight(string name, Func<IBufferDistributedCache, Task> call, params string[] commands) =>
            new TestCaseData(call, commands).SetArgDisplayNames(name);
        yield return Flight("get", cache => cache.GetAsync("sliding"), "hget", "evalsha");
        yield return Flight(
            "get into a buffer", cache => cache.TryGetAsync("sliding", new ArrayBufferWriter<byte>()).AsTask(), "hget", "evalsha");
        yield return Flight("get, blocking", cache => Task.Run(() => cache.Get("sliding")), "hget", "evalsha");
        yield return Flight(
            "get into a buffer, blocking",
            cache => Task.Run(() => cache.TryGet("sliding", new ArrayBufferWriter<byte>())), "hget", "evalsha");
        yield return Flight("set large", cache => cache.SetAsync("sliding", new byte[5000], Sliding), "multi", "unlink", "pexpire", "exec");
        yield return Flight(
            "set large, blocking",
            cache => Task.Run(() => cache.Set("sliding", new byte[5000], Sliding)), "multi", "unlink", "pexpire", "exec");
    }

    // One round trip: nothing is held back until something else has been answered.
    [TestCaseSource(nameof(Flights))]
    public async Task Several_commands_travel_in_one_flight(Func<IBufferDistributedCache, Task> call, string[] commands)
    {
        await using var relay = new Relay(_server.ConfigurationString);
        await using var running = CacheStack.OfOurs(kind).Start(relay.Address, _instanceName);
        await running.Cache.SetAsync("sliding", [1], Sliding);
        var before = await CallsAsync();

        relay.Hold();
        var waiting = call(running.Cache);
        await Until.TrueAsync("all have arrived", async () =>
        {
            var now = await CallsAsync();
            return commands.All(command => now.GetValueOrDefault(command) > before.GetValueOrDefault(command));
        });
        Assert.That(waiting.IsCompleted, Is.False);
        relay.Release();
        await waiting;
        Assert.That(await running.Cache.GetAsync("sliding"), Is.Not.Null);
    }

    // At no moment: somebody who looks again and again sees none.
    [Test]
    public async Task An_entry_that_is_to_expire_is_never_without_a_TTL()
    {
        const string Key = "watched";
        var redis = _server.Admin.GetDatabase();
        bool done = false;
        var watching = Task.Run(async () =>
        {
            int looks = 0;
            while (!Volatile.Read(ref done))
            {
                Assert.That((long)await redis.ExecuteAsync("PTTL", _instanceName + Key), Is.Not.EqualTo(-1));
                looks++;
            }

            return looks;
        });
        for (int i = 0; i < 1000 && !watching.IsCompleted; i++)
        {
            await _ours.Cache.SetAsync(Key, new byte[i % 3 == 0 ? 5000 : 1], i % 2 == 0 ? Sliding : FromNow);
            await _ours.Cache.RemoveAsync(Key);
        }

        Volatile.Write(ref done, true);
        Assert.That(await watching, Is.GreaterThan(100));
    }

    /// <summary>How often the server has carried out each command, in scripts too.</summary>
    private async Task<Dictionary<string, int>> CallsAsync()
    {
        string info = (string)(await _server.Admin.GetDatabase().ExecuteAsync("INFO", "commandstats"))!;
        return Regex.Matches(info, @"cmdstat_(\w+):calls=(\d+)").ToDictionary(
            match => match.Groups[1].Value, match => int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
    }
}
