using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Spans of operations that fail. Each test owns its server.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable]
internal sealed class FailedSpanTests(ServerKind kind)
{
    [Test]
    public async Task A_killed_server_is_an_error_with_the_type_of_the_exception([Values] bool synchronous, [Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        server.Kill();
        await app.UntilDisconnectedAsync();

        using var recorded = RecordedSpans.Start();
        await browser.VisitAsync(async context =>
        {
            var request = Activity.Current;
            if (synchronous) Assert.That(context.Session.GetString("key"), Is.Null);
            else Assert.That(async () => await context.Session.GetStrAsync("key"), Throws.InstanceOf<RedisException>());
            Assert.That(Activity.Current, Is.SameAs(request));
        });

        var span = recorded.Stop().Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(span.Status, Is.EqualTo(ActivityStatusCode.Error));
            Assert.That(span.StatusDescription, Is.Null, "Redis's messages may repeat what was sent");
            Assert.That(span.GetTagItem("error.type"), Is.EqualTo("StackExchange.Redis.RedisConnectionException"));
            Assert.That(span.GetTagItem("db.response.status_code"), Is.Null);
            Assert.That(span.GetTagItem("redis_session.outcome"), Is.EqualTo("failed"));
        }
    }

    [Test]
    public async Task A_reply_that_is_an_error_gives_its_code([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString);
        using var browser = app.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.SetString("key", "1");
            return session.Id;
        });
        await admin.GetDatabase().KeyDeleteAsync($"sessions:{id}");
        await admin.GetDatabase().StringSetAsync($"sessions:{id}", "no hash", TimeSpan.FromMinutes(5));

        using var recorded = RecordedSpans.Start();
        await browser.VisitAsync(async context =>
        {
            Assert.That(async () => await context.Session.GetStrAsync("key"), Throws.InstanceOf<RedisServerException>());
        });

        var span = recorded.Stop().Single();
        Assert.That(span.Status, Is.EqualTo(ActivityStatusCode.Error));
        Assert.That(span.GetTagItem("error.type"), Is.EqualTo("WRONGTYPE"));
        Assert.That(span.GetTagItem("db.response.status_code"), Is.EqualTo("WRONGTYPE"));
    }

    [Test]
    public async Task A_script_that_a_server_has_forgotten_is_no_error([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode);
        using var browser = app.NewBrowser();
        using var recorded = RecordedSpans.Start();
        await browser.VisitAsync(session => session.SetString("key", "1")); // a new server has no scripts
        Assert.That(recorded.Stop().Single().GetTagItem("redis_session.outcome"), Is.EqualTo("ok"));
    }

    private static Task<TestApp> StartAsync(ServerProcess server, RedisSessionMode mode) =>
        TestApp.StartAsync(server.ConfigurationString, options => (options.Mode, options.OutageTolerance) = (mode, TimeSpan.FromMilliseconds(100)));
}
