using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;

namespace RedisSession.Provider.Tests;

/// <summary>Times in which nobody listened: Redis does not keep what it had to say then.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class MissedExpiriesTests(ServerKind kind)
{
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(500);

    private readonly RecordedEvents _events = new();
    private readonly FakeTimeProvider _time = new();
    private ServerProcess _server = null!;

    [SetUp]
    public async Task StartServer() => _server = await ListeningApp.StartServerAsync(kind);

    [TearDown]
    public async Task StopServer() => await _server.DisposeAsync();

    [Test]
    public async Task A_time_in_which_no_instance_ran_is_told_once_and_no_expiry_is_invented()
    {
        var before = new RecordedEvents();
        string id;
        DateTimeOffset stopping, stopped;
        await using (var app = await StartAsync(before, idle: TimeSpan.FromMinutes(5)).WhenListeningAsync())
        {
            using var browser = await app.NewVisitorAsync();
            id = browser.SessionId;
            stopping = DateTimeOffset.UtcNow;
            await app.StopAsync();
            stopped = DateTimeOffset.UtcNow;
        }

        await _server.AskAsync("PEXPIRE", $"app:sessions:{id}", "1");
        await Until.TrueAsync("the session is gone", async () => (await _server.AskAsync("EXISTS", $"app:sessions:{id}")).Number == 0);
        var started = DateTimeOffset.UtcNow;
        var (first, second) = (new RecordedEvents(), new RecordedEvents());
        await using var one = await StartAsync(first).WhenListeningAsync();
        await using var other = await StartAsync(second).WhenListeningAsync();
        var missed = (SessionExpiriesMissed)(await first.WaitForAsync(1)).Single();
        Assert.That(DateTimeOffset.UtcNow - started, Is.LessThan(TimeSpan.FromSeconds(10)), "the former one had stopped in an orderly way");
        Assert.That(missed.Since, Is.InRange(stopping.AddMilliseconds(-1), stopped));
        Assert.That(missed.Until, Is.InRange(started.AddMilliseconds(-1), DateTimeOffset.UtcNow));
        await one.StopAsync();
        await other.StopAsync();
        Assert.That(before.All, Is.EqualTo([new SessionCreated(id, null)]), "at the very first start nothing has been missed");
        Assert.That(first.All, Has.Count.EqualTo(1));
        Assert.That(second.All, Is.Empty);
        var logged = one.Logs.Of(SessionEvents.ExpiriesMissed).Concat(other.Logs.Of(SessionEvents.ExpiriesMissed)).Single();
        Assert.That(logged.Level, Is.EqualTo(LogLevel.Warning));
    }

    [Test]
    public async Task Instances_that_replace_each_other_without_a_pause_miss_nothing()
    {
        var previous = await StartAsync(_events).WhenListeningAsync();
        for (int i = 0; i < 4; i++)
        {
            var next = await StartAsync(_events).WhenListeningAsync();
            await previous.StopAsync();
            await previous.DisposeAsync();
            previous = next;
        }

        await previous.StopAsync();
        await previous.DisposeAsync();
        Assert.That(_events.All, Is.Empty);
    }

    [Test]
    public async Task A_connection_that_was_cut_is_a_time_not_listened_unless_another_instance_did([Values] bool another)
    {
        var others = new RecordedEvents();
        await using var app = await StartAsync(_events, _time).WhenListeningAsync();
        int connections = (await ClientsAsync()).Length;
        await using var other = another ? await StartAsync(others, _time).WhenListeningAsync() : null;

        await AdvanceUntilAsync("each knows of the other", async () =>
        {
            var record = (await _server.AskAsync("HVALS", "app:lifecycle")).Items!;
            return record.All(instance => instance.Text!.EndsWith(" 1", StringComparison.Ordinal));
        });
        foreach (string client in (await ClientsAsync())[..connections]) await _server.AskAsync("CLIENT", "KILL", "ID", client);
        await AdvanceUntilAsync("it is listened again", async () =>
        {
            var numbers = (await _server.AskAsync("PUBSUB", "NUMSUB", "__keyevent@0__:expired")).Items!;
            return numbers[1].Number == (another ? 2 : 1);
        });
        using var browser = await app.NewVisitorAsync();
        await Until.TrueAsync("the next end is told", () => _events.Expired.Count + others.Expired.Count > 0);
        if (another) Assert.That(_events.All.Concat(others.All), Has.None.InstanceOf<SessionExpiriesMissed>());
        else await AdvanceUntilAsync("it is told", () => Task.FromResult(_events.All.OfType<SessionExpiriesMissed>().Any()));

        // Those of the application: by their names, since the test's own come and go.
        async Task<string[]> ClientsAsync()
        {
            var list = (await _server.AskAsync("CLIENT", "LIST")).Text!;
            return [.. list.Split('\n').Where(line => line.Contains("name=listening", StringComparison.Ordinal))
                .Select(line => line.Split(' ')[0]["id=".Length..])];
        }
    }

    [Test]
    public async Task A_setting_that_is_taken_away_is_told_at_once_and_the_time_without_it_when_it_is_back()
    {
        await using var app = await StartAsync(_events, _time).WhenListeningAsync();
        Assert.That(app.Logs.Of(SessionEvents.ExpiriesUnheard), Is.Empty);

        await _server.AskAsync("CONFIG", "SET", "notify-keyspace-events", "");
        await AdvanceUntilAsync("it is logged", () => Task.FromResult(app.Logs.Of(SessionEvents.ExpiriesUnheard).Count == 1));
        Assert.That(ListeningApp.ListenerOf(app).Listens, Is.False);
        await _server.AskAsync("CONFIG", "SET", "notify-keyspace-events", "AE");
        await AdvanceUntilAsync("it is told", () => Task.FromResult(_events.All.Count == 1));
        Assert.That(_events.All.Single(), Is.InstanceOf<SessionExpiriesMissed>());
        Assert.That(app.Logs.Of(SessionEvents.ExpiriesUnheard), Has.Count.EqualTo(1));
    }

    /// <summary>What expires during a new subscription would be missed for certain.</summary>
    [Test]
    public async Task A_report_that_did_not_come_once_is_a_time_not_listened_and_no_reason_to_subscribe_anew()
    {
        await using var app = await StartAsync(_events, _time).WhenListeningAsync();
        int looks = await CallsAsync("exists");

        await _server.AskAsync("CONFIG", "SET", "notify-keyspace-events", "");
        _time.Advance(ExpiryListener.Beat);
        await Until.TrueAsync("it has looked in vain", async () => await CallsAsync("exists") > looks);
        await _server.AskAsync("CONFIG", "SET", "notify-keyspace-events", "Ex");
        Assert.That((await _events.WaitForAsync(1)).Single(), Is.InstanceOf<SessionExpiriesMissed>());
        Assert.That(await CallsAsync("unsubscribe"), Is.Zero);
        Assert.That(app.Logs.Of(SessionEvents.ExpiriesUnheard), Is.Empty);

        async Task<int> CallsAsync(string command)
        {
            string stats = (await _server.AskAsync("INFO", "commandstats")).Text!;
            var calls = Regex.Match(stats, $@"cmdstat_{command}:calls=(\d+)");
            return calls.Success ? int.Parse(calls.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
        }
    }

    private Task AdvanceUntilAsync(string what, Func<Task<bool>> isSo) => Until.TrueAsync(what, async () =>
    {
        _time.Advance(ExpiryListener.Beat);
        await Task.Delay(200);
        return await isSo();
    });

    private Task<TestApp> StartAsync(ISessionLifecycle handler, TimeProvider? time = null, TimeSpan? idle = null) => ListeningApp.StartAsync(
        _server.ConfigurationString + ",name=listening",
        handler,
        options => (options.KeyPrefix, options.IdleTimeout) = ("app:", idle ?? Idle),
        time);
}
