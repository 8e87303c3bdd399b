using NUnit.Framework.Constraints;

namespace RedisSession.Provider.Tests;

/// <summary>What taking over costs, by the server's own word: nothing, unless the session that a cookie names has no hash.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable] // what goes in one flight depends on who has the processor
internal sealed class TakeoverTrafficTests(ServerKind kind) : TakeoverFixture(kind)
{
    private CommandMonitor _monitor = null!;

    [OneTimeSetUp]
    public async Task StartMonitor() => _monitor = await CommandMonitor.StartAsync(await Stack.ServerAsync());

    [OneTimeTearDown]
    public async Task StopMonitor() => await _monitor.DisposeAsync();

    protected override void Configure(RedisHashSessionOptions options)
    {
        base.Configure(options);
        options.IdleTimeout = TimeSpan.FromMilliseconds(1_200_001); // for which the client sends PEXPIRE
        options.RefreshInterval = TimeSpan.Zero; // each request says what it sends
    }

    private static IEnumerable<TestCaseData> Requests() =>
    [
        .. Request("reads", s => Task.FromResult(s.GetString("name")), buffered: "PEXPIRE HGETALL", live: "PEXPIRE HMGET"),
        .. Request("reads live", async s => await s.GetStrAsync("name"), "PEXPIRE HMGET"),
        .. Request("sets", s => s.SetValueAsync("new", 1), "EVALSHA"),
        .. Request("increments", s => s.IncrementAsync("new"), "EVALSHA"),
        .. Request("takes", s => s.TakeAsync("new"), "EVALSHA"),
    ];

    [TestCaseSource(nameof(Requests))]
    public async Task With_a_hash_nothing_more_for_a_request_that(RedisSessionMode mode, Func<ISession, Task> work, string commands)
    {
        using var browser = await Apps[mode].NewVisitorAsync(key: "name", value: "Ann");
        Assert.That(await SeenAsync(browser, work), Is.EqualTo(commands));
    }

    [TestCaseSource(nameof(Requests))]
    public async Task Without_hash_and_blob_one_look_for_a_request_that(RedisSessionMode mode, Func<ISession, Task> work, string commands)
    {
        using var browser = await LeaveKnownAsync(mode);
        await Redis.KeyDeleteAsync(BlobKeyOf(browser));
        string again = commands == "EVALSHA" ? " EVALSHA" : ""; // what may create it is said again
        Assert.That(await SeenAsync(browser, work), Sent(commands + " HMGET" + again));
    }

    [TestCaseSource(nameof(Requests))]
    public async Task It_is_taken_over_by_a_request_that(RedisSessionMode mode, Func<ISession, Task> work, string commands)
    {
        using var browser = await LeaveKnownAsync(mode);
        string again = commands.Split(' ')[^1];
        Assert.That(await SeenAsync(browser, work), Sent($"{commands} HMGET EVALSHA EVALSHA {again}"), "look, hash, mark, and again");
    }

    [Test]
    public async Task A_request_that_does_nothing_waits_for_nothing([Values] RedisSessionMode mode, [Values] bool hasHash)
    {
        using var browser = await LeaveKnownAsync(mode);
        if (hasHash) await browser.VisitAsync(session => session.GetString("name"));
        var seen = await _monitor.CommandsDuringAsync(Stack.KeyPrefix, async () =>
        {
            await browser.VisitAsync(_ => { });
            await Until.TrueAsync("it is taken over", () => Redis.HashExistsAsync(BlobKeyOf(browser), "taken"));
            await Apps[mode].UntilArrivedAsync();
        });
        Assert.That(
            seen.Where(name => name != "HEXISTS"), // the test's own
            Is.EqualTo(hasHash ? (string[])["PEXPIRE"] : ["PEXPIRE", "HMGET", "EVALSHA", "EVALSHA"]));
    }

    [Test]
    public async Task A_session_key_that_was_made_for_the_request_is_not_looked_for([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        Assert.That(await SeenAsync(browser, s => Task.FromResult(s.GetString("name"))), Is.Empty);
        Assert.That(await SeenAsync(browser, s => s.SetValueAsync("new", 1)), Is.EqualTo("EVALSHA"));
    }

    [Test]
    public async Task Abandoning_what_has_a_blob_ends_both_and_looks_once_more([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveKnownAsync(mode);
        var seen = await _monitor.CommandsDuringAsync(Stack.KeyPrefix, () => browser.VisitAsync(context => context.AbandonSessionAsync()));
        Assert.That(seen, Is.EqualTo(["EVALSHA", "EVALSHA", "EVALSHA"]));

        using var without = await Apps[mode].NewVisitorAsync(key: "name", value: "Ann");
        seen = await _monitor.CommandsDuringAsync(Stack.KeyPrefix, () => without.VisitAsync(context => context.AbandonSessionAsync()));
        Assert.That(seen, Is.EqualTo(["EVALSHA", "EVALSHA"]), "in one flight");
    }

    /// <summary>
    /// A visitor whose session is as AddSession has left it, at an instance that has looked after the user's list for it already: that is
    /// none of this.
    /// </summary>
    private async Task<Browser> LeaveKnownAsync(RedisSessionMode mode)
    {
        var browser = await LeaveAsync();
        string id = await browser.At(Apps[mode]).VisitAsync(session => session.IsAvailable ? session.Id : "");
        var lists = Apps[mode].Services.GetRequiredService<UserLists>();
        var expiry = SessionExpiry.From(TimeSpan.FromMinutes(20), null);
        await Until.TrueAsync(
            "its list is looked after", () => Task.FromResult(lists.IsUpToDate(Encoding.UTF8.GetBytes(id), null, default, expiry, out _)));
        await Redis.HashDeleteAsync(BlobKeyOf(browser), "taken");
        await Redis.KeyDeleteAsync(HashKeyOf(browser));
        return browser;
    }

    /// <summary>Changes that are sent again go by the text of their script: that is an EVALSHA to us.</summary>
    private async Task<string> SeenAsync(Browser browser, Func<ISession, Task> work)
    {
        var seen = await _monitor.CommandsDuringAsync(Stack.KeyPrefix, async () =>
        {
            await browser.VisitAsync(context => work(context.Session));
            foreach (var app in Apps.Values) await app.UntilArrivedAsync();
        });
        return string.Join(' ', seen.Select(name => name == "EVAL" ? "EVALSHA" : name));
    }

    /// <summary>
    /// A session that a request has made is looked after in its user's list, which nobody waits for, if the reply is there before that has
    /// been done for the request.
    /// </summary>
    private static EqualStringConstraint Sent(string commands) => Is.EqualTo(commands).Or.EqualTo(commands + " EVALSHA");

    private static TestCaseData[] Request(string name, Func<ISession, Task> work, string buffered, string? live = null) =>
    [
        new TestCaseData(RedisSessionMode.Buffered, work, buffered).SetArgDisplayNames("buffered", name),
        new TestCaseData(RedisSessionMode.Live, work, live ?? buffered).SetArgDisplayNames("live", name),
    ];
}
