using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Tests;

/// <summary>An application that wants to be told nothing pays nothing.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class NoHandlerTests(ServerKind kind)
{
    [Test]
    public async Task Nothing_is_subscribed_to_and_no_key_written([Values] bool hasHandler)
    {
        await using var server = await ListeningApp.StartServerAsync(kind);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString);
        await using var app = hasHandler
            ? await ListeningApp.StartAsync(server.ConfigurationString, new RecordedEvents()).WhenListeningAsync()
            : await TestApp.StartAsync(services => services.AddRedisHashSession(server.ConfigurationString));
        using var browser = app.NewBrowser();
        await browser.VisitAsAsync("ann", session => session.SetString("a", "1"));
        await browser.RenewAsync("bob");
        await Until.TrueAsync("the user's list of the old key is gone", async () => await KeysAsync("users:*") == 1);
        if (hasHandler) await Until.TrueAsync("the user is noted for the new key alone", async () => await KeysAsync("owners:*") == 1);
        else Assert.That(await KeysAsync("owners:*"), Is.Zero);
        Assert.That(await KeysAsync("lifecycle"), Is.EqualTo(hasHandler ? 1 : 0));
        var subscribers = await Resp.AskAsync(server.Port, "PUBSUB", "NUMSUB", "__keyevent@0__:expired");
        Assert.That(subscribers[1].Number, Is.EqualTo(hasHandler ? 1 : 0));
        Assert.That(ListeningApp.ListenerOf(app).Listens, Is.EqualTo(hasHandler));

        ValueTask<int> KeysAsync(string pattern) => admin.GetServers().Single().KeysAsync(pattern: pattern).CountAsync();
    }

    [Test]
    [NonParallelizable]
    public void Telling_nobody_allocates_nothing()
    {
        using var services = new ServiceCollection().BuildServiceProvider();
        using var meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var queue = new LifecycleQueue(
            services,
            Options.Create(new RedisHashSessionOptions()),
            new SessionMetrics(meters.GetRequiredService<IMeterFactory>()),
            TimeProvider.System,
            NullLogger<LifecycleQueue>.Instance);
        Tell(100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Tell(10_000);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Tell(int times)
        {
            for (int i = 0; i < times; i++)
            {
                queue.Created("id", "ann");
                queue.Renewed("id", "old", "ann");
                queue.Ended("id", "ann", SessionEndReason.Abandoned);
            }
        }
    }
}
