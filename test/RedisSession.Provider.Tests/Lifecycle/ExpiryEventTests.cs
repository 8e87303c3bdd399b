using System.Collections.Concurrent;

namespace RedisSession.Provider.Tests;

/// <summary>Sessions that expire by themselves, on a server that reports it.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable(ParallelScope.All)] // most of it waits
internal sealed class ExpiryEventTests(ServerKind kind) : OwningFixture
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    // Redis 7.0 deletes a key at once, and reports no expiry, when the time is over by the time that it has read the command.
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    private SharedServer _server = null!;

    private IDatabase Redis => _server.Admin.GetDatabase();

    [OneTimeSetUp]
    public async Task StartServer() => _server = Owned.Add(await SharedServer.StartAsync(kind, "--notify-keyspace-events", "Ex"));

    [OneTimeTearDown]
    public async Task No_test_has_left_anything_without_expiry()
    {
        foreach (string pattern in (string[])[ExpiryAudit.SessionKeys, ExpiryAudit.UserLists, .. ExpiryAudit.LifecycleKeys])
            Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync(_server.Admin, pattern), Is.Empty);
    }

    [Test]
    public async Task Each_of_200_sessions_is_told_once_at_one_of_two_instances_with_its_user()
    {
        string prefix = SessionStack.NewKeyPrefix();
        var (one, other) = (new RecordedEvents(), new RecordedEvents());
        await using var first = await StartAsync(one, prefix, Long);
        await using var second = await StartAsync(other, prefix, Long);
        var users = new ConcurrentDictionary<string, string?>();
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            using var browser = (i % 2 == 0 ? first : second).NewBrowser();
            string? user = i % 4 == 3 ? null : $"user {i}";
            string id = await browser.NewSessionAsync(user);
            if (i % 4 == 2) id = await browser.RenewAsync();
            users[id] = user;
        });

        await ExpireAsync(prefix, users.Keys);
        Assert.That(
            () => one.Expired.Count + other.Expired.Count,
            Is.GreaterThanOrEqualTo(200).After(30_000, 20),
            () => string.Join('\n', one.All.Concat(other.All).OfType<SessionExpiriesMissed>()));
        await first.StopAsync();
        await second.StopAsync();
        Assert.That(one.Expired.Concat(other.Expired), Is.EquivalentTo(users.Select(entry => Expired(entry.Key, entry.Value))));
        Assert.That(first.Logs.All.Concat(second.Logs.All).Where(entry => entry.Level >= LogLevel.Warning), Is.Empty);
    }

    [Test]
    public async Task The_user_of_a_session_that_untouched_requests_kept_alive_is_known_at_its_end([Values] bool byName)
    {
        var events = new RecordedEvents();
        var idle = TimeSpan.FromSeconds(5); // a busy machine may not get to it for a second or two
        await using var app = await StartAsync(events, idle: idle);
        using var browser = app.NewBrowser();
        string id = await browser.NewSessionAsync("ann", byName);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.Elapsed < 3 * idle)
        {
            await browser.VisitAsAsync(byName ? null : "ann", _ => { });
            await Task.Delay(40);
        }

        Assert.That(events.Expired, Is.Empty);
        Assert.That(await events.WaitForExpiredAsync(), Is.EqualTo([Expired(id, "ann")]));
    }

    [Test]
    public async Task A_session_that_another_application_of_the_server_keeps_is_none_of_ours()
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(events);
        await using var stranger = await StartAsync(new RecordedEvents(), "x" + SessionStack.NewKeyPrefix());
        using var strangersBrowser = await stranger.NewVisitorAsync("ann");
        using var browser = await app.NewVisitorAsync("bob");
        Assert.That(await events.WaitForExpiredAsync(), Is.EqualTo([Expired(browser.SessionId, "bob")]));
    }

    [Test]
    public async Task A_session_that_was_renewed_abandoned_or_ended_does_not_expire_too()
    {
        var events = new RecordedEvents();
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await StartAsync(events, prefix, Long);
        using Browser renewed = app.NewBrowser(), ended = app.NewBrowser(), last = app.NewBrowser();
        string[] ids = [await renewed.NewSessionAsync("ann", byName: true), await ended.NewSessionAsync("ann"), ""];
        await renewed.VisitAsync(context => context.AbandonSessionAsync());
        await app.Directory.EndAsync(ids[1]);
        ids[2] = await last.NewSessionAsync("ann");
        await ExpireAsync(prefix, [ids[2]]);
        await events.WaitForExpiredAsync();
        await app.StopAsync();
        SessionEndReason[] reasons = [SessionEndReason.Abandoned, SessionEndReason.EndedByDirectory, SessionEndReason.Expired];
        Assert.That(events.All.OfType<SessionEnded>(), Is.EqualTo(ids.Zip(reasons, (id, reason) => new SessionEnded(id, "ann", reason))));
    }

    /// <summary>
    /// A session that begins under the old key once nothing is left there lives as long as the nearer of its two timeouts, and its end is to
    /// be told.
    /// </summary>
    [Test]
    public async Task What_is_left_under_an_old_key_is_silent_no_longer_than_another_session_there_would_live()
    {
        var (idle, absolute) = (TimeSpan.FromHours(12), TimeSpan.FromMinutes(10));
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await StartAsync(new RecordedEvents(), prefix, idle, absolute);
        using var browser = app.NewBrowser();
        string id = await browser.NewSessionAsync("ann");
        await browser.RenewAsync("ann");
        TimeSpan? silent = null;
        await Until.TrueAsync(
            "it is silent", async () => (silent = await Redis.KeyTimeToLiveAsync(SessionHashLayout.ClaimKeyOf(prefix, id))) is not null);
        Assert.That(silent, Is.EqualTo(TimeSpan.FromMinutes(1) + absolute).Within(TimeSpan.FromSeconds(30)));
    }

    [Test]
    public async Task What_is_noted_of_a_user_is_gone_when_his_session_is()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await StartAsync(new RecordedEvents(), prefix, Long);
        using var browser = await app.NewVisitorAsync("ann");
        string oldId = browser.SessionId;
        await Until.TrueAsync("it is noted", () => ExistsAsync(oldId));
        string id = await browser.RenewAsync("ann");
        await Until.TrueAsync("only the new id is noted", async () => await ExistsAsync(id) && !await ExistsAsync(oldId));
        var left = await Redis.KeyTimeToLiveAsync(SessionHashLayout.OwnerKeyOf(prefix, id));
        Assert.That(left, Is.EqualTo(1.75 * Long).Within(TimeSpan.FromSeconds(10)));

        await browser.VisitAsync(context => context.AbandonSessionAsync());
        await Until.TrueAsync("nothing is noted after the sign-out", async () => !await ExistsAsync(id));
        id = await browser.NewSessionAsync("ann");
        await Until.TrueAsync("it is noted", () => ExistsAsync(id));
        await app.Directory.EndAsync(id);
        await Until.TrueAsync("nothing is noted after its end", async () => !await ExistsAsync(id));

        Task<bool> ExistsAsync(string session) => Redis.KeyExistsAsync(SessionHashLayout.OwnerKeyOf(prefix, session));
    }

    [Test]
    public async Task However_short_a_session_is_its_user_is_noted_for_ten_seconds_more()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await StartAsync(new RecordedEvents(), prefix);
        using var browser = await app.NewVisitorAsync("ann");
        var key = SessionHashLayout.OwnerKeyOf(prefix, browser.SessionId);
        await Until.TrueAsync("it is noted", () => Redis.KeyExistsAsync(key));
        Assert.That(await Redis.KeyTimeToLiveAsync(key), Is.GreaterThan(TimeSpan.FromSeconds(9)));
    }

    [Test]
    public async Task A_session_that_begins_again_under_its_id_is_told_again_with_its_user_of_then()
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(events);
        using var browser = await app.NewVisitorAsync("ann");
        await events.WaitForExpiredAsync(1);
        Assert.That(await browser.NewSessionAsync("bob"), Is.EqualTo(browser.SessionId));
        Assert.That((await events.WaitForExpiredAsync(2)).Select(ended => ended.User), Is.EqualTo(["ann", "bob"]));
    }

    [Test]
    public async Task A_session_that_reaches_its_absolute_timeout_has_expired()
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(events, idle: Long, absolute: 2 * Idle);
        using var browser = await app.NewVisitorAsync("ann");
        Assert.That(await events.WaitForExpiredAsync(), Is.EqualTo([Expired(browser.SessionId, "ann")]));
    }

    [Test]
    public async Task A_database_other_than_the_first_is_listened_to()
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(events, database: ",defaultDatabase=3");
        using var browser = await app.NewVisitorAsync("ann");
        Assert.That((await events.WaitForExpiredAsync()).Single().Id, Is.EqualTo(browser.SessionId));
    }

    private static SessionEnded Expired(string id, string? user) => new(id, user, SessionEndReason.Expired);

    /// <summary>Their time is over now, however long the test has taken so far. A refresh may still be under way.</summary>
    private Task ExpireAsync(string prefix, ICollection<string> ids) => Until.TrueAsync("all have expired", async () =>
    {
        var left = await Task.WhenAll(ids.Select(id => Redis.KeyExpireAsync($"{prefix}sessions:{id}", Soon)));
        await Task.Delay(2 * Soon);
        return !left.Contains(true);
    });

    private Task<TestApp> StartAsync(
        RecordedEvents events, string? prefix = null, TimeSpan? idle = null, TimeSpan? absolute = null, string database = "") =>
        ListeningApp.StartAsync(_server.ConfigurationString + database, events, options =>
            (options.KeyPrefix, options.IdleTimeout, options.AbsoluteTimeout) =
                (prefix ?? SessionStack.NewKeyPrefix(), idle ?? Idle, absolute)).WhenListeningAsync();
}
