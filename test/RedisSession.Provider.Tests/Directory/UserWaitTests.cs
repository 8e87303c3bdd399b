using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>To know whose a session is costs no round trip that a request waits for, in whatever state the session is met.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class UserWaitTests(ServerKind kind) : OwningFixture
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(100);

    private readonly OurStack _stack = new(kind);
    private FarServer _farServer = null!;
    private TestApp _near = null!;
    private TestApp _far = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _farServer = Owned.Add(new FarServer((await _stack.ServerAsync()).ConfigurationString, Delay));
        _near = Owned.Add(await _stack.StartAsync());
        _far = Owned.Add(await _stack.StartAsync(options => options.Configuration = _farServer.ConfigurationString));

        // From now on the server has the scripts.
        using var browser = await _near.NewVisitorAsync("ann");
        await browser.RenewAsync("ann");
        await browser.VisitAsync(context => context.AbandonSessionAsync());
    }

    private static IEnumerable<TestCaseData> Waits()
    {
        TestCaseData Request(string name, int roundTrips, Func<HttpContext, Task> work) =>
            new TestCaseData(roundTrips, work).SetArgDisplayNames(name);
        yield return Request("touches nothing", 0, _ => Task.CompletedTask);
        yield return Request("reads", 1, context => context.Session.LoadAsync());
        yield return Request("sets", 1, context => Task.Run(() => context.Session.SetString("key", "new")));
        yield return Request("sets asynchronously", 1, context => context.Session.SetAsync("key", [1]));
        yield return Request("reads and sets", 2, async context => { await context.Session.LoadAsync(); context.Session.SetString("key", "new"); });
        yield return Request("renews", 2, context => context.RenewSessionAsync());
        yield return Request("renews and binds", 2, context => context.RenewSessionAsync("bob"));
        yield return Request("abandons", 1, context => context.AbandonSessionAsync());
    }

    /// <summary>Of a user, at an instance that has not met the session yet.</summary>
    [TestCaseSource(nameof(Waits))]
    public async Task A_request_waits_as_long_as_ever_that(int roundTrips, Func<HttpContext, Task> work)
    {
        Assert.That(await WaitsAsync(roundTrips, work, hasEnded: false), Is.EqualTo(roundTrips));
        Assert.That(await WaitsAsync(roundTrips, work, hasEnded: true), Is.LessThanOrEqualTo(roundTrips), "of a session that has ended");
    }

    /// <summary>Where it takes longer than the read does, because the scripts have to be sent again with their text.</summary>
    [Test]
    public async Task A_response_does_not_start_before_the_session_is_in_its_new_users_list()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var farServer = new FarServer(server.ConfigurationString, Delay);
        await using var near = await TestApp.StartAsync(server.ConfigurationString);
        await using var far = await TestApp.StartAsync(farServer.ConfigurationString);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString);
        using var browser = await near.NewVisitorAsync();
        var clock = Stopwatch.StartNew();
        await browser.At(far).VisitAsAsync("ann", session => session.GetString("key"));
        Assert.That(clock.Elapsed, Is.GreaterThan(1.9 * Delay), "it waited for the read, and for what had to be sent again");
        var list = await admin.GetDatabase().SortedSetRangeByRankAsync(SessionHashLayout.UserKeyOf("", "ann"));
        Assert.That(list.Select(member => (string?)member), Is.EqualTo([browser.SessionId]));
    }

    private Task<int> WaitsAsync(int enough, Func<HttpContext, Task> work, bool hasEnded) => _farServer.RoundTripsAsync(enough, async () =>
    {
        var browser = await _near.NewVisitorAsync();
        if (hasEnded) await (await _stack.DatabaseAsync()).KeyDeleteAsync(_stack.KeyOf(browser.SessionId));
        return () => browser.At(_far).VisitAsync(async context => { context.SignIn("ann"); await work(context); });
    });
}
