using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>One span for each operation that a request waits for, as OpenTelemetry's SDK is given them by real requests.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[NonParallelizable]
internal sealed class SpanTests(ServerKind kind) : BothModesFixture(kind)
{
    private string _server = "";

    private static IEnumerable<TestCaseData> Requests() =>
    [
        .. Request("touches nothing", _ => Task.CompletedTask, ""),
        .. Request("reads a key", Sync(s => s.GetString("a")), buffered: "HGETALL {server}", live: "HMGET {server}"),
        .. Request("reads two keys", Sync(s => s.GetString("a") + s.GetString("b")), "HGETALL {server}", "HMGET {server}, HMGET {server}"),
        .. Request("reads a key asynchronously", async c => await c.Session.GetStrAsync("a"), "HMGET {server}"),
        .. Request("reads two keys in one", async c => await c.Session.ReadAsync(["a", "b"]), "HMGET {server}"),
        .. Request("loads", c => c.Session.LoadAsync(), "HGETALL {server}"),
        .. Request(
            "sets two keys", Sync(s => { s.SetString("a", "1"); s.SetString("b", "2"); }),
            buffered: "EVALSHA session_change", live: "EVALSHA session_change, EVALSHA session_change"),
        .. Request("sets a key asynchronously", c => c.Session.SetAsync("a", [1]), "EVALSHA session_change"),
        .. Request("renews", c => c.RenewSessionAsync(), "EVALSHA session_move, EVALSHA session_move"),
        .. Request("abandons", c => c.AbandonSessionAsync(), "EVALSHA session_end"),
    ];

    [OneTimeSetUp]
    public async Task NameServer() => _server = (await Stack.ServerAsync()).ConfigurationString;

    [TestCaseSource(nameof(Requests))]
    public async Task A_request_that(RedisSessionMode mode, Func<HttpContext, Task> work, string expected)
    {
        using var browser = await Apps[mode].NewVisitorAsync(key: "a", value: "1");
        using var recorded = RecordedSpans.Start();
        ActivitySpanId request = default;
        string id = "", newId = ""; // a renewal's second step is about that
        await browser.VisitAsync(async context =>
        {
            (request, id) = (Activity.Current!.SpanId, context.Session.Id);
            await work(context);
            newId = context.Session.Id;
        });

        var spans = recorded.Stop();
        string names = string.Join(", ", spans.Select(span => span.DisplayName));
        Assert.That(names, Is.EqualTo(expected.Replace("{server}", _server, StringComparison.Ordinal)));
        foreach (var span in spans)
        {
            using var scope = Assert.EnterMultipleScope();
            Assert.That((span.Kind, span.ParentSpanId, span.Status), Is.EqualTo((ActivityKind.Client, request, ActivityStatusCode.Unset)));
            Assert.That(span.Duration, Is.GreaterThan(TimeSpan.Zero).And.LessThan(TimeSpan.FromSeconds(30)));
            Assert.That(span.GetTagItem("session.id"), Is.EqualTo(id).Or.EqualTo(newId));
        }
    }

    [Test]
    public async Task Attributes_are_those_of_the_conventions_and_no_more([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        using var recorded = RecordedSpans.Start();
        string id = await browser.VisitAsync(async context =>
        {
            await context.Session.SetAsync("secret-key", "secret-value"u8.ToArray());
            await context.Session.GetStrAsync("secret-key");
            return context.Session.Id;
        });

        string[] address = _server.Split(':');
        var common = new Dictionary<string, object?>
        {
            ["db.system.name"] = "redis",
            ["db.namespace"] = "0",
            ["server.address"] = address[0],
            ["server.port"] = int.Parse(address[1], System.Globalization.CultureInfo.InvariantCulture),
            ["session.id"] = id,
            ["redis_session.outcome"] = "ok",
        };
        var spans = recorded.Stop();
        Assert.That(spans, Has.Count.EqualTo(2));
        Assert.That(spans[0].TagObjects.ToDictionary(), Is.EquivalentTo(new Dictionary<string, object?>(common)
        {
            ["db.operation.name"] = "EVALSHA",
            ["db.stored_procedure.name"] = "session_change",
            ["redis_session.operation"] = "write",
        }));
        Assert.That(spans[1].TagObjects.ToDictionary(), Is.EquivalentTo(new Dictionary<string, object?>(common)
        {
            ["db.operation.name"] = "HMGET",
            ["redis_session.operation"] = "read",
        }));
        Assert.That(spans.SelectMany(span => span.Events), Is.Empty);
    }

    [Test]
    public async Task A_session_that_is_not_there_and_one_that_has_ended_are_outcomes_and_no_errors([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync(key: "a", value: "1");
        using var recorded = RecordedSpans.Start();
        await browser.VisitAsync(async context =>
        {
            await context.Session.GetStrAsync("a");
            await Redis.KeyDeleteAsync(Stack.KeyOf(context.Session.Id));
            Assert.That(async () => await context.Session.SetAsync("a", [1]), Throws.InstanceOf<SessionEndedException>());
        });
        await browser.VisitAsync(async context => await context.Session.GetStrAsync("a"));

        var spans = recorded.Stop();
        Assert.That(spans.Select(span => span.GetTagItem("redis_session.outcome")), Is.EqualTo(["ok", "ended", "absent"]));
        Assert.That(spans.Select(span => span.Status), Is.All.EqualTo(ActivityStatusCode.Unset));
    }

    // The application's own spans must not become children of ours.
    [Test]
    public async Task The_current_activity_stays_the_requests_own([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync(key: "a", value: "1");
        using var recorded = RecordedSpans.Start();
        await browser.VisitAsync(async context =>
        {
            var request = Activity.Current;
            context.Session.GetString("a");
            Assert.That(Activity.Current, Is.SameAs(request), "synchronous read");
            context.Session.SetString("a", "2");
            Assert.That(Activity.Current, Is.SameAs(request), "synchronous write");
            var read = context.Session.GetStrAsync("b");
            Assert.That(Activity.Current, Is.SameAs(request), "under way");
            await read;
            Assert.That(Activity.Current, Is.SameAs(request), "asynchronous read");
            await context.Session.SetAsync("a", [1]);
            await context.RenewSessionAsync();
            await context.AbandonSessionAsync();
            Assert.That(Activity.Current, Is.SameAs(request), "the others");
        });
        Assert.That(recorded.Stop().Select(span => span.ParentSpanId).Distinct().Count(), Is.EqualTo(1));
    }

    private static TestCaseData[] Request(string name, Func<HttpContext, Task> work, string buffered, string? live = null) =>
    [
        new TestCaseData(RedisSessionMode.Buffered, work, buffered).SetArgDisplayNames(name, "buffered", buffered),
        new TestCaseData(RedisSessionMode.Live, work, live ?? buffered).SetArgDisplayNames(name, "live", live ?? buffered),
    ];

    private static Func<HttpContext, Task> Sync(Action<ISession> work) => context =>
    {
        work(context.Session);
        return Task.CompletedTask;
    };

    private static Func<HttpContext, Task> Sync<T>(Func<ISession, T> work) => Sync(session => { _ = work(session); });
}
