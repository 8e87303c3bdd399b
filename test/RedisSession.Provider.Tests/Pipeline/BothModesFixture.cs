namespace RedisSession.Provider.Tests;

/// <summary>Ours in both modes on one kind of server, sharing their sessions: what most pipeline fixtures start from.</summary>
internal abstract class BothModesFixture(ServerKind kind, Pipeline pipeline = Pipeline.UseSession) : OwningFixture
{
    private readonly Dictionary<RedisSessionMode, TestApp> _apps = [];

    protected OurStack Stack { get; } = new(kind, pipeline);

    protected IReadOnlyDictionary<RedisSessionMode, TestApp> Apps => _apps;

    /// <summary>The one in buffered mode, where the mode does not matter.</summary>
    protected TestApp App => _apps[RedisSessionMode.Buffered];

    protected IRedisSessionDirectory Directory => App.Directory;

    /// <summary>A look into the server behind the back of the applications.</summary>
    protected IDatabase Redis { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartApps()
    {
        Redis = await Stack.DatabaseAsync();
        foreach (var mode in Enum.GetValues<RedisSessionMode>()) _apps[mode] = Owned.Add(await StartAsync(mode));
    }

    protected virtual void Configure(RedisHashSessionOptions options)
    {
    }

    /// <summary>A visitor whose session has one key.</summary>
    protected Task<Browser> NewVisitorAsync(RedisSessionMode mode, string key = "key", string value = "old") =>
        Apps[mode].NewVisitorAsync(key: key, value: value);

    /// <summary>Where that session is.</summary>
    protected RedisKey KeyOf(Browser browser) => Stack.KeyOf(browser.SessionId);

    protected virtual void Use(IApplicationBuilder app) => app.Use(Stack.Pipeline);

    /// <summary>One more, which a test has for itself.</summary>
    protected Task<TestApp> StartAsync(RedisSessionMode mode, Action<RedisHashSessionOptions>? configure = null) => Stack.StartAsync(
        options =>
        {
            options.Mode = mode;
            Configure(options);
            configure?.Invoke(options);
        },
        use: Use);
}
