namespace RedisSession.Provider.Tests;

/// <summary>A server that does not have the script any more (NOSCRIPT), met by live writes that are under way.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class ForgottenScriptTests(ServerKind kind)
{
    [Test]
    public async Task A_write_that_is_sent_again_does_not_bring_an_ended_session_back([Values] bool noticesTheEnd)
    {
        await using var server = await SharedServer.StartAsync(kind);
        await using var app = await StartLiveAsync(server);
        var redis = server.Admin.GetDatabase();
        for (int round = 0; round < 40; round++)
        {
            using var browser = await app.NewVisitorAsync();
            string key = $"sessions:{browser.SessionId}";
            await browser.VisitAsync(async context =>
            {
                Assert.That(context.Session.GetString("key"), Is.EqualTo("old"));
                await redis.KeyDeleteAsync(key);
                await redis.ExecuteAsync("SCRIPT", "FLUSH");
                context.Session.SetString("late", "1");

                // Its answer says that the session has ended, and comes with the one that says that there is no script.
                if (noticesTheEnd) Assert.That(context.Session.GetString("other"), Is.Null);
                Assert.That(async () => await context.Session.CommitAsync(), Throws.InstanceOf<SessionEndedException>());
            });
            Assert.That(await redis.KeyExistsAsync(key), Is.False, $"round {round}");
        }
    }

    [Test]
    public async Task However_many_writes_meet_it_they_are_sent_again_in_one([Values(1, 500)] int writes)
    {
        await using var server = await SharedServer.StartAsync(kind);
        await using var app = await StartLiveAsync(server);
        await using var monitor = await CommandMonitor.StartAsync(server);
        using var browser = await app.NewVisitorAsync();
        await server.Admin.GetDatabase().ExecuteAsync("SCRIPT", "FLUSH");
        var commands = await monitor.CommandsDuringAsync("sessions:", () => browser.VisitAsync(session =>
        {
            Assert.That(session.GetString("key"), Is.EqualTo("old")); // all writes take the script for a session that was seen
            for (int i = 0; i < writes; i++) session.SetInt32($"key{i}", i);
        }));

        using (Assert.EnterMultipleScope())
        {
            // As long as the text is on its way, what else is written is collected.
            Assert.That(commands.Count(name => name == "EVALSHA"), Is.InRange(1, writes));
            Assert.That(commands.Count(name => name == "EVAL"), Is.EqualTo(1));
            Assert.That(commands, Has.All.AnyOf("HMGET", "EXPIRE", "PEXPIRE", "EVALSHA", "EVAL"));
        }

        await browser.VisitAsync(session =>
        {
            for (int i = 0; i < writes; i++) Assert.That(session.GetInt32($"key{i}"), Is.EqualTo(i));
        });
    }

    private static Task<TestApp> StartLiveAsync(SharedServer server) =>
        TestApp.StartAsync(server.ConfigurationString, options => options.Mode = RedisSessionMode.Live);
}
