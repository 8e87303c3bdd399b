using Microsoft.AspNetCore.Builder;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Ours in both modes on one kind of server, sharing their sessions: what most pipeline fixtures start from.</summary>
internal abstract class BothModesFixture(ServerKind kind, Pipeline pipeline = Pipeline.UseSession)
{
    private readonly Dictionary<RedisSessionMode, TestApp> _apps = [];

    protected OurStack Stack { get; } = new(kind, pipeline);

    protected IReadOnlyDictionary<RedisSessionMode, TestApp> Apps => _apps;

    protected IRedisSessionDirectory Directory => _apps[RedisSessionMode.Buffered].Directory;

    /// <summary>A look into the server behind the back of the applications.</summary>
    protected IDatabase Redis { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartApps()
    {
        Redis = await Stack.DatabaseAsync();
        foreach (var mode in Enum.GetValues<RedisSessionMode>()) _apps[mode] = await StartAsync(mode);
    }

    [OneTimeTearDown]
    public async Task StopApps()
    {
        foreach (var app in _apps.Values) await app.DisposeAsync();
    }

    protected virtual void Configure(RedisHashSessionOptions options)
    {
    }

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
