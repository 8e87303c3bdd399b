namespace RedisSession.Provider.Tests;

/// <summary>
/// An application with a server of its own, for tests that do something to that, and a visitor whose session has <c>key</c>: <c>1</c>.
/// </summary>
internal sealed class OwnServerApp : IAsyncDisposable
{
    private OwnServerApp(ServerProcess server, TestApp app) => (Server, App, Browser) = (server, app, app.NewBrowser());

    public ServerProcess Server { get; }

    public TestApp App { get; }

    public Browser Browser { get; }

    public static async Task<OwnServerApp> StartAsync(
        ServerKind kind, Action<RedisHashSessionOptions> configure, Action<IApplicationBuilder>? use = null, params string[] serverArguments)
    {
        // What a test does to its server lasts longer than anybody is to wait; short outages have tests of their own.
        Action<RedisHashSessionOptions> impatient = options => options.OutageTolerance = TimeSpan.FromMilliseconds(100);
        var own = await StartAsync(kind, server => TestApp.StartAsync(server.ConfigurationString, impatient + configure, use), serverArguments);
        await own.Browser.SetStringAsync();
        return own;
    }

    /// <summary>The same with an application of any kind, whose visitor has no session yet.</summary>
    public static async Task<OwnServerApp> StartAsync(
        ServerKind kind, Func<ServerProcess, Task<TestApp>> startApp, params string[] serverArguments) =>
        await (await ServerProcess.StartAsync(kind, serverArguments)).ThenAsync(async server => new OwnServerApp(server, await startApp(server)));

    /// <summary>Where its session is, unless the application says otherwise.</summary>
    public string SessionKey => $"sessions:{Browser.SessionId}";

    /// <summary>Returns when the application has noticed.</summary>
    public async Task KillServerAsync()
    {
        Server.Kill();
        await App.UntilDisconnectedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Browser.Dispose();
        await App.DisposeAsync();
        await Server.DisposeAsync();
    }
}
