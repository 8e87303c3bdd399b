namespace RedisSession.Provider.Tests;

/// <summary>What each kind of request costs, by the server's own word (MONITOR), as the table in docs/reading-and-writing.md says it.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.OnProcesses))]
[NonParallelizable] // what goes in one flight depends on who has the processor
internal sealed class RoundTripTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    private TestApp _preloading = null!;
    private CommandMonitor _monitor = null!;

    // With milliseconds, for which the client sends PEXPIRE; for whole seconds it sends EXPIRE.
    protected override void Configure(RedisHashSessionOptions options) =>
        (options.IdleTimeout, options.RefreshInterval) = (TimeSpan.FromMilliseconds(1_200_001), TimeSpan.Zero);

    [OneTimeSetUp]
    public async Task Start()
    {
        _preloading = Owned.Add(await new OurStack(Stack.Server, Pipeline.UseRedisHashSessionLoadingAhead, Stack.KeyPrefix).StartAsync(Configure));
        _monitor = Owned.Add(await CommandMonitor.StartAsync(await Stack.ServerAsync()));
    }

    private static IEnumerable<TestCaseData> Requests() => ((TestCaseData[][])
    [
        // PEXPIRE travels in the same write as what follows it, and nobody waits for its reply.
        Request("touches nothing", _ => Task.CompletedTask, "PEXPIRE"),
        Request("asks for the id", session => Task.FromResult(session.Id), "PEXPIRE"),
        Request("reads a key", Sync(s => s.GetInt("a")), "PEXPIRE HGETALL", live: "PEXPIRE HMGET"),
        Request("reads three keys", Sync(s => ReadThree(s)), "PEXPIRE HGETALL", live: "PEXPIRE HMGET HMGET HMGET"),
        Request("lists the keys", Sync(s => s.Keys.Count()), "PEXPIRE HGETALL"),
        Request(
            "is asked whether it is available and reads",
            Sync(s => s.IsAvailable ? s.GetInt("a") : 0), "PEXPIRE HGETALL", live: "PEXPIRE HMGET HMGET"),
        Request("reads a key asynchronously", async s => await s.GetIntAsync("a"), "PEXPIRE HMGET"),
        Request("reads three keys asynchronously in one", async s => await s.ReadAsync(["a", "b", "c"]), "PEXPIRE HMGET"),
        Request("loads and reads three keys", async s => { await s.LoadAsync(); ReadThree(s); }, "PEXPIRE HGETALL"),
        Request("sets a key", Sync(s => s.SetValue("a", 1)), "EVALSHA"),
        Request(
            "sets three keys",
            Sync(s => { s.SetValue("a", 1); s.SetValue("b", 2); s.SetValue("c", 3); }), "EVALSHA", live: "EVALSHA EVALSHA EVALSHA"),
        Request("clears", Sync(s => s.Clear()), "EVALSHA"),
        Request("sets a key asynchronously", s => s.SetValueAsync("a", 1), "EVALSHA"),
        Request(
            "sets three keys asynchronously at once",
            s => s.SetAsync(new Dictionary<string, byte[]> { ["a"] = [1], ["b"] = [2], ["c"] = [3] }), "EVALSHA"),
        Request("increments a key", s => s.IncrementAsync("a"), "EVALSHA"),
        Request("takes a key", s => s.TakeAsync("a"), "EVALSHA"),
        Request("sets a key that is not there", s => s.TrySetValueAsync("b", 1), "EVALSHA"),
        Request(
            "increments a key behind a change of its own",
            async s => { s.SetValue("b", 1); await s.IncrementAsync("a"); }, "EVALSHA EVALSHA"),
        Request("updates a key", Update, "PEXPIRE HMGET EVALSHA"),
        Request("loads and updates a key", async s => { await s.LoadAsync(); await Update(s); }, "PEXPIRE HGETALL EVALSHA"),
        Request("sets a key that expires, or learns that it cannot", SetExpiring, "EVALSHA"),
        Request(
            "reads a counter and sets it",
            Sync(s => s.SetValue("a", s.GetInt("a") + 1)), "PEXPIRE HGETALL EVALSHA", live: "PEXPIRE HMGET EVALSHA"),
        Request(
            "loads, and reads what it has set",
            async s => { await s.LoadAsync(); s.SetValue("a", 1); _ = s.GetInt("a"); }, "PEXPIRE HGETALL EVALSHA"),
        Request(
            "sets, commits and commits again",
            async s => { s.SetValue("a", 1); await s.CommitAsync(); await s.CommitAsync(); }, "EVALSHA"),
    ]).SelectMany(cases => cases);

    private static int ReadThree(ISession session) => session.GetInt("a") + session.GetInt("b") + session.GetInt("c");

    private static Task Update(ISession session) => session.UpdateJsonAsync<int>("a", n => n + 1);

    // Redis 7.0 cannot.
    private static Task SetExpiring(ISession session) =>
        Attempt.IsDoneAsync<NotSupportedException>(() => session.SetValueAsync("c", 1, TimeSpan.FromMinutes(1)));

    [TestCaseSource(nameof(Requests))]
    public async Task A_request_that(RedisSessionMode mode, Func<ISession, Task> work, string commands)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(session => session.SetValue("a", 1));
        var seen = await SentDuringAsync(() => browser.VisitAsync(context => work(context.Session)));
        Assert.That(string.Join(' ', seen), Is.EqualTo(commands));
    }

    [Test]
    public async Task A_request_without_a_cookie_that_touches_or_reads_nothing_but_what_is_not_there_sends_nothing([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        var seen = await SentDuringAsync(async () =>
        {
            await browser.VisitAsync(_ => { });
            await browser.VisitAsync(session => _ = session.Id);
            await browser.VisitAsync(session => _ = session.GetInt("a") + session.Keys.Count());
            await browser.VisitAsync(async context => await context.Session.LoadAsync());
            await browser.VisitAsync(async context => await context.Session.GetIntAsync("a"));
            await browser.VisitAsync(session => _ = session.IsAvailable);
        });
        Assert.That(seen, Is.Empty);
    }

    [Test]
    public async Task A_new_session_costs_one_script([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        var seen = await SentDuringAsync(() => browser.VisitAsync(session => session.SetValue("a", session.GetInt("a") + 1)));
        Assert.That(seen, Is.EqualTo(["EVALSHA"]));
    }

    [Test]
    public async Task UseRedisHashSession_loads_for_requests_with_a_cookie_and_only_those()
    {
        using var browser = _preloading.NewBrowser();
        var without = await SentDuringAsync(() => browser.VisitAsync(session => _ = session.GetInt("a")));
        Assert.That(without, Is.Empty);
        await browser.VisitAsync(session => session.SetValue("a", 1));
        var with = await SentDuringAsync(() => browser.VisitAsync(session => _ = session.GetInt("a")));
        Assert.That(with, Is.EqualTo(["PEXPIRE", "HGETALL"]));
    }

    private Task<IReadOnlyList<string>> SentDuringAsync(Func<Task> requests) => _monitor.CommandsDuringAsync(Stack.KeyPrefix, async () =>
    {
        await requests();
        foreach (var app in Apps.Values.Append(_preloading)) await app.UntilArrivedAsync();
    });

    /// <param name="name">What it does.</param>
    /// <param name="work">That.</param>
    /// <param name="commands">In buffered mode, and in live mode too unless <paramref name="live"/> says otherwise.</param>
    /// <param name="live">In live mode.</param>
    private static TestCaseData[] Request(string name, Func<ISession, Task> work, string commands, string? live = null) =>
    [
        new TestCaseData(RedisSessionMode.Buffered, work, commands).SetArgDisplayNames(name, "buffered", commands),
        new TestCaseData(RedisSessionMode.Live, work, live ?? commands).SetArgDisplayNames(name, "live", live ?? commands),
    ];

    private static Func<ISession, Task> Sync(Action<ISession> work) => session =>
    {
        work(session);
        return Task.CompletedTask;
    };

    private static Func<ISession, Task> Sync<T>(Func<ISession, T> work) => Sync(session => { _ = work(session); });
}
