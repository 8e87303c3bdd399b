namespace RedisSession.Provider.Tests;

/// <summary>
/// An application whose connection to a shared server a test can cut, and a visitor whose session has <c>key</c>: <c>1</c>. By default it
/// waits a minute for Redis, and throws after that.
/// </summary>
internal sealed class RelayedApp : IAsyncDisposable
{
    private RelayedApp(Relay relay, TestApp app) => (Relay, App, Browser) = (relay, app, app.NewBrowser());

    public Relay Relay { get; }

    public TestApp App { get; }

    public Browser Browser { get; }

    /// <summary>Where Redis is down at the start, the visitor has no session.</summary>
    public static async Task<RelayedApp> StartAsync(ServerKind kind, Action<RedisHashSessionOptions>? configure = null, bool isDown = false)
    {
        var relay = new Relay((await TestServers.GetAsync(kind)).ConfigurationString);
        if (isDown) relay.Down();
        var app = await TestApp.StartAsync(relay.Address, options =>
        {
            (options.KeyPrefix, options.FailureMode) = (SessionStack.NewKeyPrefix(), FailureMode.Throw);
            options.OutageTolerance = TimeSpan.FromMinutes(1);
            configure?.Invoke(options);
        });
        var relayed = new RelayedApp(relay, app);
        if (!isDown) await relayed.Browser.SetStringAsync();
        return relayed;
    }

    /// <summary>Returns when the application has noticed that its server is away.</summary>
    public async Task DownAsync()
    {
        Relay.Down();
        await App.UntilDisconnectedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Browser.Dispose();
        await App.DisposeAsync();
        await Relay.DisposeAsync();
    }
}
