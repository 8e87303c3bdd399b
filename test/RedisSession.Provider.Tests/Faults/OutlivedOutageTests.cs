namespace RedisSession.Provider.Tests;

/// <summary>A request that goes on after an outage, as one behind a WebSocket does, is served again once Redis is there.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class OutlivedOutageTests(ServerKind kind)
{
    private static readonly Dictionary<string, Func<ISession, Task>> Calls = new()
    {
        ["reads"] = session => session.GetStrAsync("key").AsTask(),
        ["sets"] = session => session.SetValueAsync("key", 2),
        ["increments"] = session => session.IncrementAsync("key"),
        ["loads"] = session => session.LoadAsync(),
        ["reads synchronously"] = session => Task.Run(() => session.GetString("key")),
    };

    private static IEnumerable<string> Ways => Calls.Keys;

    [TestCaseSource(nameof(Ways))]
    public async Task A_request_is_served_again_that(string way)
    {
        await using var relayed = await RelayedApp.StartAsync(kind, options => options.OutageTolerance = TimeSpan.Zero);
        await relayed.Browser.VisitAsync(async context =>
        {
            await relayed.DownAsync();
            Assert.That(() => Calls[way](context.Session), Throws.InstanceOf<RedisConnectionException>());
            Assert.That(context.Session.IsAvailable, Is.False);
            relayed.Relay.Up();
            await Until.TrueAsync("it is served", async () =>
            {
                try
                {
                    await Calls[way](context.Session);
                    return true;
                }
                catch (RedisConnectionException)
                {
                    return false;
                }
            });
            Assert.That(context.Session.IsAvailable, Is.True);
        });
    }
}
