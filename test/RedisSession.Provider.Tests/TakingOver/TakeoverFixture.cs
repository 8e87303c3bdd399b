namespace RedisSession.Provider.Tests;

/// <summary>
/// An application on Microsoft's packages, AddStackExchangeRedisCache and AddSession, and the same on ours in both modes, which takes its
/// sessions over.
/// </summary>
internal abstract class TakeoverFixture(ServerKind kind) : BothModesFixture(kind)
{
    /// <summary>What <see cref="LeaveAsync(TestApp)"/> leaves in a session, as the new application should find it.</summary>
    protected static readonly string[] OldKeys = ["@name", "bytes", "count", "empty", "name"];

    protected string InstanceName => Stack.KeyPrefix + "left:";

    /// <summary>An instance that has not been switched yet.</summary>
    protected TestApp Old { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartOld() => Old = await StartOldAsync((await Stack.ServerAsync()).ConfigurationString, InstanceName);

    [OneTimeTearDown]
    public async Task StopOld() => await Old.DisposeAsync();

    protected override void Configure(RedisHashSessionOptions options) => options.TakeOverSessions(InstanceName);

    public static Task<TestApp> StartOldAsync(string configuration, string? instanceName) => TestApp.StartAsync(services =>
    {
        services.AddStackExchangeRedisCache(options => (options.Configuration, options.InstanceName) = (configuration, instanceName));
        services.AddSession();
    });

    /// <summary>One more instance that takes its sessions over.</summary>
    protected Task<TestApp> StartAsync(
        RedisSessionMode mode, Action<RedisHashSessionOptions>? configure = null, Action<IServiceCollection>? addMore = null)
    {
        return Stack.StartAsync(ConfigureAll, addMore ?? (_ => { }));

        void ConfigureAll(RedisHashSessionOptions options)
        {
            options.Mode = mode;
            Configure(options);
            configure?.Invoke(options);
        }
    }

    /// <summary>A visitor whose session AddSession has kept so far.</summary>
    protected Task<Browser> LeaveAsync() => LeaveAsync(Old);

    public static async Task<Browser> LeaveAsync(TestApp old)
    {
        var browser = old.NewBrowser();
        await browser.VisitAsync(session =>
        {
            session.SetString("name", "Ann");
            session.SetString("@name", "reserved");
            session.SetInt32("count", 41);
            session.Set("bytes", [0, 1, 255]);
            session.SetString("empty", "");
        });
        return browser;
    }

    /// <summary>All that <see cref="LeaveAsync(TestApp)"/> left, in a request of its own.</summary>
    public static Task CheckKeptAsync(Browser browser, params string[] without) => browser.VisitAsync(async context =>
    {
        var session = context.Session;
        await session.LoadAsync();
        using (Assert.EnterMultipleScope())
        {
            if (!without.Contains("name")) Assert.That((session.GetString("name"), session.GetStr("name")), Is.EqualTo(("Ann", "Ann")));
            if (!without.Contains("count")) Assert.That((session.GetInt32("count"), session.GetInt("count")), Is.EqualTo((41, 41)));
            Assert.That(await session.GetRawAsync("bytes"), Is.EqualTo(new byte[] { 0, 1, 255 }));
            Assert.That(await session.GetStrAsync("@name"), Is.EqualTo("reserved"));
            Assert.That(session.GetString("empty"), Is.Empty);
            Assert.That(session.Keys, Is.SupersetOf(OldKeys.Except(without)));
        }
    });

    /// <summary>The session key in a browser's cookie is the secret under which AddSession keeps its blob.</summary>
    protected RedisKey BlobKeyOf(Browser browser) => BlobKeyOf(InstanceName, browser);

    public static RedisKey BlobKeyOf(string instanceName, Browser browser) => instanceName + SessionKeyIn(browser);

    protected RedisKey HashKeyOf(Browser browser) => Stack.KeyOf(SessionId.Of(SessionKeyIn(browser)));

    public static string SessionKeyIn(Browser browser) => TestApp.SessionKeyIn(browser.SessionCookie!.Value);

    protected static void Touch(ISession session, bool writes)
    {
        if (writes) session.SetString("new", "1");
        else session.GetString("name");
    }

    /// <summary>So many requests of one visitor at once, at each of the instances in turn.</summary>
    protected static Task InParallelAsync(Browser browser, int count, TestApp[] instances, Func<HttpContext, int, Task> work) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(async i =>
        {
            using var twin = browser.Twin();
            await twin.At(instances[i % instances.Length]).VisitAsync(context => work(context, i));
        }));

    protected static Task<string[]> KeysAsync(Browser browser) =>
        browser.VisitAsync(session => session.Keys.Order(StringComparer.Ordinal).ToArray());
}
