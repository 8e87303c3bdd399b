using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Sessions that expire by themselves, on a server that reports it.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable(ParallelScope.All)] // most of it waits
internal sealed class ExpiryEventTests(ServerKind kind)
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(2);

    private ServerProcess _server = null!;
    private ConnectionMultiplexer _admin = null!;

    [OneTimeSetUp]
    public async Task StartServer()
    {
        _server = await ListeningApp.StartServerAsync(kind);
        _admin = await ConnectionMultiplexer.ConnectAsync(_server.ConfigurationString + ",allowAdmin=true");
    }

    [OneTimeTearDown]
    public async Task StopServer()
    {
        try
        {
            foreach (string pattern in (string[])[ExpiryAudit.SessionKeys, ExpiryAudit.UserLists, .. ExpiryAudit.LifecycleKeys])
                Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync(_admin, pattern), Is.Empty);
        }
        finally
        {
            await _admin.DisposeAsync();
            await _server.DisposeAsync();
        }
    }

    [Test]
    public async Task Each_of_200_sessions_is_told_once_at_one_of_two_instances_with_its_user()
    {
        string prefix = SessionStack.NewKeyPrefix();
        var (one, other) = (new RecordedEvents(), new RecordedEvents());
        await using var first = await StartAsync(one, prefix).WhenListeningAsync();
        await using var second = await StartAsync(other, prefix).WhenListeningAsync();
        var users = new ConcurrentDictionary<string, string?>();
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            using var browser = (i % 2 == 0 ? first : second).NewBrowser();
            string? user = i % 4 == 3 ? null : $"user {i}";
            string id = await NewSessionAsync(browser, user);
            if (i % 4 == 2) id = await RenewAsync(browser, null);
            users[id] = user;
        });

        await Until.TrueAsync("all are told", () => Task.FromResult(one.Expired.Count + other.Expired.Count >= 200));
        await first.StopAsync();
        await second.StopAsync();
        var expected = users.Select(entry => new SessionEnded(entry.Key, entry.Value, SessionEndReason.Expired));
        Assert.That(one.Expired.Concat(other.Expired), Is.EquivalentTo(expected));
        Assert.That(first.Logs.All.Concat(second.Logs.All).Where(entry => entry.Level >= LogLevel.Warning), Is.Empty);
    }

    [Test]
    public async Task The_user_of_a_session_that_untouched_requests_kept_alive_is_known_at_its_end([Values] bool byName)
    {
        var events = new RecordedEvents();
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await StartAsync(events, prefix).WhenListeningAsync();
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser, byName ? null : "ann");
        if (byName) id = await RenewAsync(browser, "ann");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.Elapsed < 4 * Idle)
        {
            await browser.VisitAsAsync(byName ? null : "ann", _ => { });
            await Task.Delay(40);
        }

        Assert.That(events.Expired, Is.Empty);
        await Until.TrueAsync("it is told", () => Task.FromResult(events.Expired.Count > 0));
        Assert.That(events.Expired, Is.EqualTo([new SessionEnded(id, "ann", SessionEndReason.Expired)]));
    }

    [Test]
    public async Task A_session_that_another_application_of_the_server_keeps_is_none_of_ours()
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(events, SessionStack.NewKeyPrefix()).WhenListeningAsync();
        await using var stranger = await StartAsync(new RecordedEvents(), "x" + SessionStack.NewKeyPrefix());
        using var strangersBrowser = stranger.NewBrowser();
        await NewSessionAsync(strangersBrowser, "ann");
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser, "bob");
        await Until.TrueAsync("ours is told", () => Task.FromResult(events.Expired.Count > 0));
        Assert.That(events.Expired, Is.EqualTo([new SessionEnded(id, "bob", SessionEndReason.Expired)]));
    }

    [Test]
    public async Task A_session_that_was_renewed_abandoned_or_ended_does_not_expire_too()
    {
        var events = new RecordedEvents();
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await StartAsync(events, prefix).WhenListeningAsync();
        string[] ids = new string[3];
        using (var browser = app.NewBrowser())
        {
            await NewSessionAsync(browser, "ann");
            ids[0] = await RenewAsync(browser, "ann");
            await browser.VisitAsync(context => context.AbandonSessionAsync());
        }

        using (var browser = app.NewBrowser())
        {
            ids[1] = await NewSessionAsync(browser, "ann");
            await app.Services.GetRequiredService<IRedisSessionDirectory>().EndAsync(ids[1]);
        }

        using (var browser = app.NewBrowser()) ids[2] = await NewSessionAsync(browser, "ann");
        await Until.TrueAsync("the last one is told", () => Task.FromResult(events.Expired.Count > 0));
        await app.StopAsync();
        Assert.That(events.All.OfType<SessionEnded>(), Is.EqualTo(new SessionEnded[]
        {
            new(ids[0], "ann", SessionEndReason.Abandoned),
            new(ids[1], "ann", SessionEndReason.EndedByDirectory),
            new(ids[2], "ann", SessionEndReason.Expired),
        }));
    }

    [Test]
    public async Task What_is_noted_of_a_user_is_gone_when_his_session_is()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await StartAsync(new RecordedEvents(), prefix, TimeSpan.FromMinutes(5)).WhenListeningAsync();
        using var browser = app.NewBrowser();
        string oldId = await NewSessionAsync(browser, "ann");
        await Until.TrueAsync("it is noted", () => ExistsAsync(oldId));
        string id = await RenewAsync(browser, "ann");
        await Until.TrueAsync("only the new id is noted", async () => await ExistsAsync(id) && !await ExistsAsync(oldId));
        var left = await _admin.GetDatabase().KeyTimeToLiveAsync(SessionHashLayout.OwnerKeyOf(prefix, id));
        Assert.That(left, Is.EqualTo(1.75 * TimeSpan.FromMinutes(5)).Within(TimeSpan.FromSeconds(10)));

        await browser.VisitAsync(context => context.AbandonSessionAsync());
        await Until.TrueAsync("nothing is noted after the sign-out", async () => !await ExistsAsync(id));
        id = await NewSessionAsync(browser, "ann");
        await Until.TrueAsync("it is noted", () => ExistsAsync(id));
        await app.Services.GetRequiredService<IRedisSessionDirectory>().EndAsync(id);
        await Until.TrueAsync("nothing is noted after its end", async () => !await ExistsAsync(id));

        Task<bool> ExistsAsync(string session) => _admin.GetDatabase().KeyExistsAsync(SessionHashLayout.OwnerKeyOf(prefix, session));
    }

    [Test]
    public async Task However_short_a_session_is_its_user_is_noted_for_ten_seconds_more()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await StartAsync(new RecordedEvents(), prefix).WhenListeningAsync();
        using var browser = app.NewBrowser();
        var key = SessionHashLayout.OwnerKeyOf(prefix, await NewSessionAsync(browser, "ann"));
        await Until.TrueAsync("it is noted", () => _admin.GetDatabase().KeyExistsAsync(key));
        Assert.That(await _admin.GetDatabase().KeyTimeToLiveAsync(key), Is.GreaterThan(TimeSpan.FromSeconds(9)));
    }

    [Test]
    public async Task A_session_that_begins_again_under_its_id_is_told_again_with_its_user_of_then()
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(events, SessionStack.NewKeyPrefix()).WhenListeningAsync();
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser, "ann");
        await Until.TrueAsync("the first is told", () => Task.FromResult(events.Expired.Count == 1));
        Assert.That(await NewSessionAsync(browser, "bob"), Is.EqualTo(id));
        await Until.TrueAsync("the second is told", () => Task.FromResult(events.Expired.Count == 2));
        Assert.That(events.Expired.Select(ended => ended.User), Is.EqualTo(["ann", "bob"]));
    }

    [Test]
    public async Task A_session_that_reaches_its_absolute_timeout_has_expired()
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(
            events, SessionStack.NewKeyPrefix(), TimeSpan.FromMinutes(5), options => options.AbsoluteTimeout = 2 * Idle).WhenListeningAsync();
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser, "ann");
        await Until.TrueAsync("it is told", () => Task.FromResult(events.Expired.Count > 0));
        Assert.That(events.Expired, Is.EqualTo([new SessionEnded(id, "ann", SessionEndReason.Expired)]));
    }

    [Test]
    public async Task A_database_other_than_the_first_is_listened_to()
    {
        var events = new RecordedEvents();
        await using var app = await ListeningApp.StartAsync(
            _server.ConfigurationString + ",defaultDatabase=3", events, options => options.IdleTimeout = Idle).WhenListeningAsync();
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser, "ann");
        await Until.TrueAsync("it is told", () => Task.FromResult(events.Expired.Count > 0));
        Assert.That(events.Expired.Single().Id, Is.EqualTo(id));
    }

    private Task<TestApp> StartAsync(
        ISessionLifecycle events, string prefix, TimeSpan? idle = null, Action<RedisHashSessionOptions>? configure = null) =>
        ListeningApp.StartAsync(_server.ConfigurationString, events, options =>
        {
            (options.KeyPrefix, options.IdleTimeout) = (prefix, idle ?? Idle);
            configure?.Invoke(options);
        });

    private static Task<string> NewSessionAsync(Browser browser, string? user) => browser.VisitAsAsync(user, session =>
    {
        session.SetString("key", "value");
        return session.Id;
    });

    private static Task<string> RenewAsync(Browser browser, string? user) => browser.VisitAsync(async context =>
    {
        await context.RenewSessionAsync(user);
        return context.Session.Id;
    });
}
