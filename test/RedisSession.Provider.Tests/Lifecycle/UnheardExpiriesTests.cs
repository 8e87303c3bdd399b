using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace RedisSession.Provider.Tests;

/// <summary>Servers that do not report expiries: as most are set up, and Garnet, which cannot.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class UnheardExpiriesTests(ServerKind kind)
{
    [Test]
    public async Task One_warning_says_which_setting_is_missing_where_and_everything_else_works()
    {
        var server = await TestServers.GetAsync(kind);
        var events = new RecordedEvents();
        var time = new FakeTimeProvider();
        await using var app = await ListeningApp.StartAsync(
            server.ConfigurationString, events, options => options.KeyPrefix = SessionStack.NewKeyPrefix(), time);
        using var browser = app.NewBrowser();
        string id = await browser.VisitAsAsync("ann", session =>
        {
            session.SetString("a", "1");
            return session.Id;
        });
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        Assert.That(await events.WaitForAsync(2), Is.EqualTo(new object[]
        {
            new SessionCreated(id, "ann"), new SessionEnded(id, "ann", SessionEndReason.Abandoned),
        }));

        await Until.TrueAsync("it is logged", () => Task.FromResult(app.Logs.Of(SessionEvents.ExpiriesUnheard).Count > 0));
        for (int i = 0; i < 3; i++)
        {
            time.Advance(ExpiryListener.Beat);
            await Task.Delay(100);
        }

        var warning = app.Logs.All.Single(entry =>
            entry.Category.StartsWith("RedisSession.Provider", StringComparison.Ordinal) && entry.Level >= LogLevel.Warning);
        Assert.That(warning, Has.Property("EventId").EqualTo(SessionEvents.ExpiriesUnheard).And.Property("Level").EqualTo(LogLevel.Warning));
        Assert.That(
            warning.Message,
            Does.Contain("notify-keyspace-events").And.Contain("\"Ex\"").And.Contain(server.ConfigurationString.Split(',')[0]));
        Assert.That(ListeningApp.ListenerOf(app).Listens, Is.False);
    }
}
