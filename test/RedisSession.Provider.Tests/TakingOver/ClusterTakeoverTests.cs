using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>On a cluster, where what AddSession has left and the hash are on different servers.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
[Category(FullRun.Only)]
internal sealed class ClusterTakeoverTests(ServerKind kind)
{
    [Test]
    public async Task Sessions_are_taken_over_from_any_slot_renewed_and_ended([Values] RedisSessionMode mode)
    {
        await using var cluster = await RedisCluster.StartAsync(kind);
        await using var old = await TakeoverFixture.StartOldAsync(cluster.ConfigurationString, "shop:");
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(options =>
        {
            (options.Configuration, options.Mode) = (cluster.ConfigurationString, mode);
            options.TakeOverSessions("shop:");
        }));
        var redis = (await app.RedisAsync()).Multiplexer;
        int apart = 0;
        for (int i = 0; i < 20; i++)
        {
            using var browser = await TakeoverFixture.LeaveAsync(old);
            using var thief = browser.Twin();
            var blob = TakeoverFixture.BlobKeyOf("shop:", browser);
            string id = SessionId.Of(TestApp.SessionKeyIn(browser.SessionCookie!.Value));
            if (redis.HashSlot(blob) != redis.HashSlot($"sessions:{id}")) apart++;

            await browser.At(app).VisitAsync(session =>
            {
                if (i % 2 == 0) session.SetString("new", "1");
                else session.GetString("name");
            });
            await TakeoverFixture.CheckKeptAsync(browser);
            await browser.VisitAsync(context => i % 3 == 0 ? context.RenewSessionAsync() : context.AbandonSessionAsync());
            Assert.That(await thief.At(app).VisitAsync(session => session.Keys.Count()), Is.Zero);
            if (i % 3 == 0) await TakeoverFixture.CheckKeptAsync(browser);
        }

        Assert.That(apart, Is.GreaterThan(15));
        Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync(await cluster.PrimariesAsync(), "*s*:*"), Is.Empty);
    }
}
