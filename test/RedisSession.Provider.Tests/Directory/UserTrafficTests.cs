using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>What it costs to know whose a session is: nothing that a request waits for, and most of the time nothing at all.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class UserTrafficTests(ServerKind kind)
{
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(1_200_001); // with milliseconds the client sends PEXPIRE, else EXPIRE

    private readonly OurStack _stack = new(kind);
    private readonly Dictionary<RedisSessionMode, TestApp> _apps = [];
    private CommandMonitor _monitor = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            _apps[mode] = await _stack.StartAsync(options => (options.Mode, options.IdleTimeout) = (mode, Idle));
            using var browser = _apps[mode].NewBrowser();
            await NewSessionAsync(browser, "ann"); // from now on the server has the scripts
        }

        _monitor = await CommandMonitor.StartAsync(await _stack.ServerAsync());
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _monitor.DisposeAsync();
        foreach (var app in _apps.Values) await app.DisposeAsync();
    }

    private static IEnumerable<TestCaseData> Requests()
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            string read = mode == RedisSessionMode.Buffered ? "HGETALL" : "HMGET";
            TestCaseData Request(string name, Action<ISession> work, string usual, string first, string firstOfAUser) =>
                new TestCaseData(mode, work, usual, first, firstOfAUser).SetArgDisplayNames(name, mode.ToString());
            yield return Request("touches nothing", _ => { }, "PEXPIRE", "PEXPIRE EVALSHA", "PEXPIRE EVALSHA EVALSHA");
            yield return Request("reads", s => s.GetInt("a"), $"PEXPIRE {read}", $"PEXPIRE EVALSHA {read}", $"PEXPIRE EVALSHA EVALSHA {read}");
            yield return Request("sets", s => s.SetValue("a", 2), "EVALSHA", "EVALSHA EVALSHA", "EVALSHA EVALSHA EVALSHA");
            yield return Request(
                "reads and sets", s => s.SetValue("a", s.GetInt("a") + 1),
                $"PEXPIRE {read} EVALSHA", $"PEXPIRE EVALSHA {read} EVALSHA", $"PEXPIRE EVALSHA EVALSHA {read} EVALSHA");
        }
    }

    /// <summary>The first at an instance that has not met the session lately sends a script or two more, in the same flight.</summary>
    [TestCaseSource(nameof(Requests))]
    public async Task A_request_that(RedisSessionMode mode, Action<ISession> work, string usual, string first, string firstOfAUser)
    {
        foreach (var (user, expected) in new[] { (null, first), ("ann", firstOfAUser) })
        {
            using var browser = _apps[mode].NewBrowser();
            await NewSessionAsync(browser, user);
            Assert.That(await CommandsAsync(browser, user, work), Is.EqualTo(usual), $"of {user ?? "nobody"}");

            await using var other = await _stack.StartAsync(options => (options.Mode, options.IdleTimeout) = (mode, Idle));
            browser.At(other);
            Assert.That(await CommandsAsync(browser, user, work), Is.EqualTo(expected), $"first of {user ?? "nobody"}");
            Assert.That(await CommandsAsync(browser, user, work), Is.EqualTo(usual), $"second of {user ?? "nobody"}");
            Assert.That(await CommandsAsync(browser, null, work), Is.EqualTo(usual), "of nobody");
        }
    }

    [Test]
    public async Task A_new_session_of_a_user_costs_three_scripts([Values] RedisSessionMode mode)
    {
        using var browser = _apps[mode].NewBrowser();
        Assert.That(await CommandsAsync(browser, "ann", session => session.SetValue("a", 1)), Is.EqualTo("EVALSHA EVALSHA EVALSHA"));
        Assert.That(await CommandsAsync(browser, "ann", session => session.SetValue("a", 1)), Is.EqualTo("EVALSHA"));
    }

    private static IEnumerable<TestCaseData> Waits()
    {
        TestCaseData Request(string name, int roundTrips, Func<HttpContext, Task> work) => new TestCaseData(roundTrips, work).SetArgDisplayNames(name);
        yield return Request("touches nothing", 0, _ => Task.CompletedTask);
        yield return Request("reads", 1, context => context.Session.LoadAsync());
        yield return Request("sets", 1, context => Task.Run(() => context.Session.SetString("key", "new")));
        yield return Request("sets asynchronously", 1, context => context.Session.SetAsync("key", [1]));
        yield return Request("reads and sets", 2, async context =>
        {
            await context.Session.LoadAsync();
            context.Session.SetString("key", "new");
        });
        yield return Request("renews", 3, context => context.RenewSessionAsync());
        yield return Request("renews and binds", 4, context => context.RenewSessionAsync("bob"));
        yield return Request("abandons", 1, context => context.AbandonSessionAsync());
    }

    /// <summary>Of a user, at an instance that has not met the session yet.</summary>
    [TestCaseSource(nameof(Waits))]
    public async Task Nobody_waits_for_more_round_trips_in_a_request_that(int roundTrips, Func<HttpContext, Task> work)
    {
        await using var relay = new DelayedReplies(Port(await _stack.ServerAsync()), TimeSpan.FromMilliseconds(150));
        await using var far = await _stack.StartAsync(options => (options.Configuration, options.IdleTimeout) = (relay.ConfigurationString, Idle));
        foreach (var ends in new[] { false, true })
        {
            int waited = await relay.RoundTripsAsync(async () =>
            {
                var browser = _apps[RedisSessionMode.Buffered].NewBrowser();
                string id = await NewSessionAsync(browser, null);
                if (ends) await (await _stack.DatabaseAsync()).KeyDeleteAsync(_stack.KeyOf(id));
                browser.At(far);
                return () => browser.VisitAsync(async context =>
                {
                    context.SignIn("ann");
                    await work(context);
                });
            });
            Assert.That(waited, Is.LessThanOrEqualTo(roundTrips), ends ? "of a session that has ended" : "");
            if (!ends) Assert.That(waited, Is.EqualTo(roundTrips));
        }
    }

    [Test]
    public async Task A_new_session_on_a_server_that_has_none_of_the_scripts_is_its_users([Values] RedisSessionMode mode)
    {
        for (int round = 0; round < 5; round++)
        {
            await using var server = await ServerProcess.StartAsync(kind);
            await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(options =>
                (options.Configuration, options.Mode) = (server.ConfigurationString, mode)));
            using var browser = app.NewBrowser();
            string id = await NewSessionAsync(browser, "ann");
            var directory = app.Services.GetRequiredService<IRedisSessionDirectory>();
            Assert.That(await directory.FindByUserAsync("ann").Select(session => session.Id).ToArrayAsync(), Is.EqualTo([id]));
        }
    }

    private async Task<string> CommandsAsync(Browser browser, string? user, Action<ISession> work) =>
        string.Join(' ', await _monitor.CommandsDuringAsync(_stack.KeyPrefix, () => browser.VisitAsAsync(user, work)));

    private static int Port(SharedServer server) =>
        int.Parse(server.ConfigurationString.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);

    private static Task<string> NewSessionAsync(Browser browser, string? user) => browser.VisitAsAsync(user, session =>
    {
        session.SetValue("a", 1);
        return session.Id;
    });
}
