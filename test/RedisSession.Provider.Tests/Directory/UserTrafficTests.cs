namespace RedisSession.Provider.Tests;

/// <summary>What it costs to know whose a session is, by the server's own word: most of the time nothing.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable] // what goes in one flight depends on who has the processor
internal sealed class UserTrafficTests(ServerKind kind) : BothModesFixture(kind)
{
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(1_200_001); // with milliseconds the client sends PEXPIRE, else EXPIRE

    private readonly ServerKind _kind = kind;
    private CommandMonitor _monitor = null!;

    [OneTimeSetUp]
    public async Task StartMonitor() => _monitor = Owned.Add(await CommandMonitor.StartAsync(await Stack.ServerAsync()));

    protected override void Configure(RedisHashSessionOptions options) => (options.IdleTimeout, options.RefreshInterval) = (Idle, TimeSpan.Zero);

    private static IEnumerable<TestCaseData> Requests()
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            string read = mode == RedisSessionMode.Buffered ? "HGETALL" : "HMGET";
            TestCaseData Request(string name, Action<ISession> work, string usual, string first, string firstOfAUser) =>
                new TestCaseData(mode, work, usual, first, firstOfAUser).SetArgDisplayNames(name, mode.ToString());
            yield return Request("touches nothing", _ => { }, "PEXPIRE", "PEXPIRE EVALSHA", "PEXPIRE EVALSHA EVALSHA");
            yield return Request("reads", s => s.GetString("key"), $"PEXPIRE {read}", $"PEXPIRE EVALSHA {read}", $"PEXPIRE EVALSHA EVALSHA {read}");
            yield return Request("sets", s => s.SetString("key", "new"), "EVALSHA", "EVALSHA EVALSHA", "EVALSHA EVALSHA EVALSHA");
            yield return Request(
                "reads and sets", s => s.SetString("key", s.GetString("key") + "."),
                $"PEXPIRE {read} EVALSHA", $"PEXPIRE EVALSHA {read} EVALSHA", $"PEXPIRE EVALSHA EVALSHA {read} EVALSHA");
        }
    }

    /// <summary>The first at an instance that has not met the session lately sends a script or two more, in the same flight.</summary>
    [TestCaseSource(nameof(Requests))]
    public async Task A_request_that(RedisSessionMode mode, Action<ISession> work, string usual, string first, string firstOfAUser)
    {
        foreach (var (user, expected) in new[] { (null, first), ("ann", firstOfAUser) })
        {
            using var browser = await Apps[mode].NewVisitorAsync(user);
            Assert.That(await CommandsAsync(Apps[mode], browser, user, work), Is.EqualTo(usual), $"of {user ?? "nobody"}");

            await using var other = await StartAsync(mode);
            Assert.That(await CommandsAsync(other, browser, user, work), Is.EqualTo(expected), $"first of {user ?? "nobody"}");
            Assert.That(await CommandsAsync(other, browser, user, work), Is.EqualTo(usual), $"second of {user ?? "nobody"}");
            Assert.That(await CommandsAsync(other, browser, null, work), Is.EqualTo(usual), "of nobody");
        }
    }

    [Test]
    public async Task A_new_session_of_a_user_costs_three_scripts([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        Assert.That(await SetAsync(), Is.EqualTo("EVALSHA EVALSHA EVALSHA"));
        Assert.That(await SetAsync(), Is.EqualTo("EVALSHA"));

        Task<string> SetAsync() => CommandsAsync(Apps[mode], browser, "ann", session => session.SetValue("a", 1));
    }

    [Test]
    public async Task A_new_session_on_a_server_that_has_none_of_the_scripts_is_its_users([Values] RedisSessionMode mode)
    {
        for (int round = 0; round < 5; round++)
        {
            await using var server = await ServerProcess.StartAsync(_kind);
            await using var app = await TestApp.StartAsync(server.ConfigurationString, options => options.Mode = mode);
            using var browser = await app.NewVisitorAsync("ann");
            Assert.That(await app.Directory.IdsOfAsync("ann"), Is.EqualTo([browser.SessionId]));
        }
    }

    private async Task<string> CommandsAsync(TestApp app, Browser browser, string? user, Action<ISession> work)
    {
        var seen = await _monitor.CommandsDuringAsync(Stack.KeyPrefix, async () =>
        {
            await browser.At(app).VisitAsAsync(user, work);
            await app.UntilArrivedAsync();
        });
        return string.Join(' ', seen);
    }
}
