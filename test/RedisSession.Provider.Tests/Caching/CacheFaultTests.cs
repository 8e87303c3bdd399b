using System.Buffers;
using System.Diagnostics;
using Microsoft.Extensions.Caching.Distributed;
using static RedisSession.Provider.Tests.CacheAccessExtensions;

namespace RedisSession.Provider.Tests;

/// <summary>A server that answers no more: what ends the wait, and what is left afterwards. Each test owns its server.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable(ParallelScope.All)] // most of it waits
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class CacheFaultTests(ServerKind kind)
{
    // The client would wait for a minute: whatever ends earlier has ended otherwise.
    private const string Patient = ",syncTimeout=60000,asyncTimeout=60000";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static IEnumerable<TestCaseData> Calls()
    {
        TestCaseData Call(string name, Func<IBufferDistributedCache, CancellationToken, Task> call) =>
            new TestCaseData(call).SetArgDisplayNames(name);
        yield return Call("get", (cache, token) => cache.GetAsync("key", token));
        yield return Call("get into a buffer", (cache, token) => cache.TryGetAsync("key", new ArrayBufferWriter<byte>(), token).AsTask());
        yield return Call("set", (cache, token) => cache.SetAsync("key", [2], TenMinutes, token));
        yield return Call("set large", (cache, token) => cache.SetAsync("key", new byte[10_000], TenMinutes, token));
        yield return Call(
            "set from a buffer", (cache, token) => cache.SetAsync("key", new ReadOnlySequence<byte>([2]), TenMinutes, token).AsTask());
        yield return Call("refresh", (cache, token) => cache.RefreshAsync("key", token));
        yield return Call("remove", (cache, token) => cache.RemoveAsync("other", token));
    }

    [TestCaseSource(nameof(Calls))]
    public async Task Cancellation_ends_the_wait_and_the_cache_goes_on(Func<IBufferDistributedCache, CancellationToken, Task> call)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var running = await StartFilledAsync(server);
        server.Pause();

        using var cancellation = new CancellationTokenSource();
        var waiting = call(running.Cache, cancellation.Token);
        Assert.That(waiting.IsCompleted, Is.False);
        await cancellation.CancelAsync();
        var clock = Stopwatch.StartNew();
        Assert.That(
            async () => await waiting,
            Throws.InstanceOf<OperationCanceledException>().With.Property("CancellationToken").EqualTo(cancellation.Token));
        Assert.That(clock.Elapsed, Is.LessThan(Soon));

        server.Resume();
        await running.Cache.SetAsync("another", [3], TenMinutes);
        Assert.That(await running.Cache.GetAsync("another"), Is.EqualTo(new byte[] { 3 }), "replies are not mixed up");
    }

    [Test]
    public async Task Cancellation_ends_the_wait_for_a_connection()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        server.Pause();
        await using var running = CacheStack.OfOurs(kind).Start(server.ConfigurationString + Patient + ",connectTimeout=60000", "");
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        var clock = Stopwatch.StartNew();
        Assert.That(async () => await running.Cache.GetAsync("key", cancellation.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(clock.Elapsed, Is.LessThan(Soon));
        server.Resume();
    }

    // The client keeps the command, and sends it when the server is there again, long after the call has ended.
    [Test]
    public async Task A_buffer_is_the_callers_again_as_soon_as_the_call_has_ended([Values] bool array, [Values(1000, 10_000)] int length)
    {
        byte[] buffer = new byte[length];
        Array.Fill<byte>(buffer, 1);
        await using var relay = new Relay((await TestServers.GetAsync(kind)).ConfigurationString);
        await using var running = CacheStack.OfOurs(kind).Start(relay.Address + Patient, CacheStack.NewInstanceName());
        await running.Cache.SetAsync("key", [1], TenMinutes);
        relay.Down();
        await Until.TrueAsync("it has noticed", () => !running.IsConnected);
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        Assert.That(
            () => array
                ? running.Cache.SetAsync("written", buffer, TenMinutes, cancellation.Token)
                : running.Cache.SetAsync("written", new ReadOnlySequence<byte>(buffer), TenMinutes, cancellation.Token).AsTask(),
            Throws.InstanceOf<OperationCanceledException>());
        Array.Fill<byte>(buffer, 2);
        relay.Up();

        Assert.That(async () => await running.Cache.GetAsync("written"), Is.Not.Null.After(20_000, 20));
        Assert.That(await running.Cache.GetAsync("written"), Is.All.EqualTo(1));
    }

    /// <summary>The client has given the first set up after a second; the second one waits until the server is there again.</summary>
    [Test]
    public async Task A_set_whose_caller_has_given_up_does_not_come_after_a_newer_one([Values] bool isCancelled)
    {
        await using var relay = new Relay((await TestServers.GetAsync(kind)).ConfigurationString);
        await using var running = CacheStack.OfOurs(kind).Start(relay.Address + ",syncTimeout=1000,asyncTimeout=1000", CacheStack.NewInstanceName());
        await running.Cache.SetAsync("key", [0], TenMinutes);
        relay.Down();
        await Until.TrueAsync("it has noticed", () => !running.IsConnected);
        if (isCancelled)
        {
            using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(1500));
            Assert.That(() => running.Cache.SetAsync("key", [1], TenMinutes, cancellation.Token), Throws.InstanceOf<OperationCanceledException>());
        }
        else
        {
            Assert.That(() => running.Cache.Set("key", [1], TenMinutes), Throws.InstanceOf<TimeoutException>());
        }

        var newer = running.Cache.SetAsync("key", [2], TenMinutes);
        relay.Up();
        await newer;
        for (int i = 0; i < 25; i++)
        {
            Assert.That(await running.Cache.GetAsync("key"), Is.EqualTo(new byte[] { 2 }));
            await Task.Delay(20);
        }
    }

    [Test]
    public async Task The_clients_timeouts_end_a_wait_that_nobody_cancels([Values] CacheAccess access)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var running = await StartFilledAsync(server, ",syncTimeout=300,asyncTimeout=300");
        server.Pause();
        var clock = Stopwatch.StartNew();
        Assert.That(async () => await access.GetAsync(running.Cache, "key"), Throws.InstanceOf<TimeoutException>());
        Assert.That(clock.Elapsed, Is.LessThan(Soon));
        server.Resume();
    }

    [Test]
    public async Task A_server_that_was_away_is_found_again([Values] CacheAccess access)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var running = await StartFilledAsync(server, "");
        server.Kill();
        Assert.That(
            async () => await access.GetAsync(running.Cache, "key"),
            Throws.InstanceOf<RedisException>().Or.InstanceOf<TimeoutException>()); // the tolerance, or the client's syncTimeout
        await server.RestartAsync();
        Assert.That(
            async () =>
            {
                try
                {
                    return await access.GetAsync(running.Cache, "key") is null;
                }
                catch (Exception error) when (error is RedisException or TimeoutException)
                {
                    return false;
                }
            },
            Is.True.After((int)Soon.TotalMilliseconds, 20));
    }

    /// <summary>A cache that has an entry.</summary>
    private async Task<RunningCache> StartFilledAsync(ServerProcess server, string timeouts = Patient)
    {
        var running = CacheStack.OfOurs(kind).Start(server.ConfigurationString + timeouts, "");
        await running.Cache.SetAsync("key", [1], TenMinutes);
        return running;
    }
}
