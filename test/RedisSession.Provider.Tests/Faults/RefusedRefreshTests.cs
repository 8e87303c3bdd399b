using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Servers that refuse what no request waits for: to refresh the expiry of a session, to list it for its user. Requests go on, and the log
/// says it, once and not for each request.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class RefusedRefreshTests(ServerKind kind)
{
    [Test]
    public async Task It_is_logged_once_and_resumes(
        [Values("NOREPLICAS", "MISCONF", "NOPERM")] string refusal, [Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        // Redis says MISCONF where it is to save the data and could not.
        await using var own = await OwnServerApp.StartAsync(kind, Configure, serverArguments: ["--save", "3600 1000000"]);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(own.Server.ConfigurationString + ",allowAdmin=true");
        var server = admin.GetServers().Single();

        // An instance that has not done it before, and is connected: where Redis says MISCONF, it refuses PING too, by which the client
        // knows that it has a connection.
        await using var app = await TestApp.StartAsync(own.Server.ConfigurationString, Configure);
        using (var another = app.NewBrowser()) await another.VisitAsync(session => session.SetString("key", "1"));
        await RefuseAsync(server, refusal);

        // Through the synchronous API, read fresh, committed, not used at all.
        var browser = own.Browser.At(app);
        for (int i = 0; i < 3; i++)
        {
            await browser.VisitAsync(session => Assert.That(session.GetString("key"), Is.EqualTo("1")));
            await browser.VisitAsync(async context => Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("1")));
            await browser.VisitAsync(context => context.Session.CommitAsync());
            await browser.VisitAsync(_ => { });
        }

        int[] events = [SessionEvents.RefreshFailed, SessionEvents.ListingFailed];
        await Until.TrueAsync("it is logged", () => Task.FromResult(events.All(one => app.Logs.Of(one).Count > 0)));
        await Task.Delay(50); // for what must not come
        foreach (int one in events)
        {
            var warnings = app.Logs.Of(one);
            Assert.That(warnings, Has.Count.EqualTo(1), string.Join('\n', warnings.Select(warning => warning.Error)));
            string text = warnings[0].Error!.Message;
            Assert.That(text, Does.Contain(refusal).Or.Contains("can't run this command").Or.Contains("no permissions"), "in a script");
        }

        await AllowAsync(server, refusal);
        RedisKey key = "sessions:" + await browser.VisitAsync(session => session.Id);
        await admin.GetDatabase().KeyExpireAsync(key, TimeSpan.FromMinutes(1));
        await browser.VisitAsync(session => session.GetString("key"));
        await Until.TrueAsync("it is refreshed", async () => await admin.GetDatabase().KeyTimeToLiveAsync(key) > TimeSpan.FromMinutes(10));

        void Configure(RedisHashSessionOptions options)
        {
            (options.Mode, options.FailureMode, options.RefreshInterval) = (mode, failureMode, TimeSpan.Zero);
            options.UserIdentifier = _ => "ann";
        }
    }

    private static async Task RefuseAsync(IServer server, string refusal)
    {
        if (refusal == "NOREPLICAS")
        {
            await server.ConfigSetAsync("min-replicas-to-write", "1");
        }
        else if (refusal == "NOPERM")
        {
            await server.ExecuteAsync("ACL", "SETUSER", "default", "-expire", "-pexpire");
        }
        else
        {
            string directory = (await server.ConfigGetAsync("dir"))[0].Value;
            Directory.Delete(directory, recursive: true);
            await server.ExecuteAsync("BGSAVE");
            await Until.TrueAsync("the save has failed", async () =>
                (await server.InfoRawAsync("persistence"))!.Contains("rdb_last_bgsave_status:err", StringComparison.Ordinal));
            Directory.CreateDirectory(directory); // another one to the server, which stays in the old one
        }
    }

    private static async Task AllowAsync(IServer server, string refusal)
    {
        if (refusal == "NOREPLICAS")
        {
            await server.ConfigSetAsync("min-replicas-to-write", "0");
        }
        else if (refusal == "NOPERM")
        {
            await server.ExecuteAsync("ACL", "SETUSER", "default", "+expire", "+pexpire");
        }
        else
        {
            await server.ConfigSetAsync("stop-writes-on-bgsave-error", "no");
        }
    }
}
