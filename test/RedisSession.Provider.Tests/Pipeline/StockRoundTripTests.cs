namespace RedisSession.Provider.Tests;

/// <summary>
/// What the same requests cost on AddSession over AddStackExchangeRedisCache, for the README's comparison. Each command is awaited before
/// the next is sent, but for the EXPIRE behind an HMSET.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable] // what goes in one flight depends on who has the processor
internal sealed class StockRoundTripTests(ServerKind kind) : OwningFixture
{
    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private TestApp _app = null!;
    private CommandMonitor _monitor = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        var server = await TestServers.GetAsync(kind);
        _app = Owned.Add(await TestApp.StartAsync(services =>
        {
            services.AddStackExchangeRedisCache(options => (options.Configuration, options.InstanceName) = (server.ConfigurationString, _keyPrefix));
            services.AddSession();

            // As every template sets it. At Information stock reads the session once more when it writes, to log whether it is new.
            services.AddLogging(logging => logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning));
        }));
        _monitor = Owned.Add(await CommandMonitor.StartAsync(server));
    }

    private static IEnumerable<TestCaseData> Requests()
    {
        TestCaseData Request(string name, Action<ISession> work, string commands) =>
            new TestCaseData(work, commands).SetArgDisplayNames(name, commands);
        yield return Request("touches nothing", _ => { }, "HMGET EXPIRE");
        yield return Request("reads a key", session => session.GetString("a"), "HMGET EXPIRE HMGET EXPIRE");
        yield return Request("sets a key", session => session.SetString("a", "2"), "HMGET EXPIRE HMSET EXPIRE");
    }

    [TestCaseSource(nameof(Requests))]
    public async Task A_request_that(Action<ISession> work, string commands)
    {
        using var browser = await _app.NewVisitorAsync(key: "a");
        var seen = await _monitor.CommandsDuringAsync(_keyPrefix, () => browser.VisitAsync(work));
        Assert.That(string.Join(' ', seen), Is.EqualTo(commands));
    }
}
