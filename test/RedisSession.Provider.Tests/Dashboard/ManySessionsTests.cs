namespace RedisSession.Provider.Tests;

/// <summary>The page over a hundred thousand sessions: what each page costs does not depend on how many there are.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Category(FullRun.Only)]
[NonParallelizable] // each page is there within a second
internal sealed class ManySessionsTests(ServerKind kind)
{
    private const int Sessions = 100_000;
    private const string KeyPrefix = "app:";

    private SharedServer _server = null!;
    private TestApp _app = null!;

    [OneTimeSetUp]
    public async Task Fill()
    {
        _server = await SharedServer.StartAsync(kind); // of its own: others would have to walk over all these keys
        var redis = _server.Admin.GetDatabase();
        string[] ids = [.. Enumerable.Range(0, Sessions).Select(number => SessionId.Of($"session {number}"))];
        foreach (string[] some in ids.Chunk(10_000))
        {
            var batch = redis.CreateBatch();
            var sent = new List<Task>();
            foreach (string id in some)
            {
                var key = SessionHashLayout.KeyOf(KeyPrefix, id);
                HashEntry[] fields = [new("@gen", "g"), new("@created", 1795530887267), new("a", "1")];
                sent.Add(batch.HashSetAsync(key, id[0] == 'A' ? fields : [.. fields, new("@user", id[0] == 'B' ? "McDonald" : "ann")]));
                sent.Add(batch.KeyExpireAsync(key, TimeSpan.FromHours(1)));
            }

            batch.Execute();
            await Task.WhenAll(sent);
        }

        _app = await DashboardApp.StartAsync(kind, KeyPrefix, server: _server.ConfigurationString);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _app.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task A_page_takes_a_scan_or_two_and_asks_for_the_sessions_that_it_shows()
    {
        using var @operator = new Operator(_app);
        var page = await @operator.GetAsync();
        await using var monitor = await CommandMonitor.StartAsync(_server);
        for (int number = 1; number <= 5; number++)
        {
            string next = page.Next!;
            var commands = await monitor.CommandsDuringAsync(KeyPrefix, async () => page = await @operator.GetAsync(next));
            Assert.That(page.Ids, Has.Count.InRange(50, 120), $"page {number}");
            Assert.That(commands.Count(command => command == "SCAN"), Is.InRange(1, 2), $"page {number}");
            Assert.That(commands.Where(command => command != "SCAN").Distinct(), Is.EquivalentTo(["HMGET", "PTTL", "MEMORY", "HLEN"]));
            Assert.That(commands, Has.Count.LessThanOrEqualTo(2 + (4 * page.Ids.Count)), $"page {number}");
        }
    }

    /// <summary>Each kind of page with what it may cost: of a hundred thousand sessions, most are not looked at.</summary>
    [TestCaseSource(nameof(Costs))]
    public async Task Every_page_has_its_bound_and_is_there_within_a_second(string name, string query, string commands)
    {
        string id = SessionId.Of("session 7");
        string address = query.Replace("{id}", id, StringComparison.Ordinal).Replace("{start}", id[..10], StringComparison.Ordinal);
        using var @operator = new Operator(_app);
        await @operator.GetAsync(address); // what is compiled and connected once
        await using var monitor = await CommandMonitor.StartAsync(_server);
        Operator.Page page = null!;
        var sent = await monitor.CommandsDuringAsync(KeyPrefix, async () => page = await @operator.GetAsync(address));
        Assert.That(page.Status, Is.EqualTo(System.Net.HttpStatusCode.OK));
        var most = commands.Split(' ').Select(one => one.Split(':'))
            .ToDictionary(one => one[0], one => int.Parse(one[1], System.Globalization.CultureInfo.InvariantCulture));
        var counted = sent.CountBy(command => command).ToDictionary();
        Assert.That(counted.Keys.Except(most.Keys), Is.Empty, name);
        foreach (var (command, count) in counted) Assert.That(count, Is.LessThanOrEqualTo(most[command]), $"{name}: {command}");

        // The best of some, as others are at work on this machine.
        await monitor.DisposeAsync();
        var times = new List<TimeSpan>();
        for (int i = 0; i < 5; i++)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            await @operator.GetAsync(address);
            times.Add(System.Diagnostics.Stopwatch.GetElapsedTime(start));
        }

        string all = string.Join(", ", counted.Select(one => $"{one.Value} {one.Key}"));
        await TestContext.Out.WriteLineAsync($"{name}: {times.Min().TotalMilliseconds:0} ms; {all}");
        Assert.That(times.Min(), Is.LessThan(TimeSpan.FromSeconds(1)));
    }

    // With the four commands for each session that is shown: a page has 50, and some more.
    private static IEnumerable<string[]> Costs()
    {
        const string Page = "HMGET:120 PTTL:120 MEMORY:120 HLEN:120";
        const string One = "HMGET:1 PTTL:1 MEMORY:1 HLEN:1";
        yield return ["the first page", "", $"SCAN:2 {Page}"];
        yield return ["the first page as CSV", "?format=csv", $"SCAN:2 {Page}"];
        yield return ["of users", "?who=users", $"SCAN:30 HGET:22000 {Page}"];
        yield return ["anonymous, of which there are few", "?who=anonymous", $"SCAN:30 HGET:22000 {Page}"];
        yield return ["an id", "?q={id}", $"ZRANGE:1 {One}"];
        yield return ["the beginning of an id", "?q={start}", $"ZRANGE:1 SCAN:210 {Page}"];
        yield return ["a name that nobody has", "?q=nobody%20at%20all", $"ZRANGE:4 SCAN:30 HGET:22000"];
        yield return ["a name that could be an id", "?q=nobody", $"ZRANGE:4 SCAN:240 HGET:22000"];
        yield return ["a name in another case", "?q=MCDONALD", $"ZRANGE:4 SCAN:240 HGET:22000 {Page}"];
        yield return ["a session", "?session={id}&values=shown", $"HGETALL:1 HPEXPIRETIME:1 {One}"];
    }

    [Test]
    public async Task Page_after_page_every_session_is_there()
    {
        var seen = new HashSet<string>();
        string? next = null;
        int pages = 0;
        do
        {
            var page = await _app.Directory.ListPageAsync(1000, next);
            seen.UnionWith(page.Sessions.Select(session => session.Id));
            Assert.That(page.Sessions, Has.Count.LessThan(1200));
            next = page.Next;
            Assert.That(++pages, Is.LessThanOrEqualTo(Sessions / 1000));
        }
        while (next is not null);

        Assert.That(seen, Has.Count.EqualTo(Sessions));
    }

    /// <summary>The sessions of another application, seen from one that has none.</summary>
    [Test]
    public async Task Among_keys_of_others_a_page_looks_at_some_thousands_and_says_that_there_are_more()
    {
        string prefix = "other:";
        await using var app = await DashboardApp.StartAsync(kind, prefix, server: _server.ConfigurationString);
        using var @operator = new Operator(app);
        await @operator.GetAsync();
        await using var monitor = await CommandMonitor.StartAsync(_server);
        Operator.Page page = null!;
        var commands = await monitor.CommandsDuringAsync(prefix, async () => page = await @operator.GetAsync());
        Assert.That(page.Ids, Is.Empty);
        Assert.That(page.Text, Does.Contain("No sessions among the keys"));
        Assert.That(page.Next, Is.Not.Null);
        Assert.That(commands, Has.Count.EqualTo(100).And.All.EqualTo("SCAN"), "5,000 keys, 50 at a time");
    }
}
