namespace RedisSession.Provider.Tests;

/// <summary>
/// A server that all tests of a run share. Tests keep apart by key prefixes of their own and never flush it, kill it or
/// pause it; whoever needs that starts a <see cref="ServerProcess"/>.
/// </summary>
internal sealed class SharedServer(ServerKind kind, IRunningServer server, IConnectionMultiplexer admin) : IAsyncDisposable
{
    public ServerKind Kind => kind;

    public string ConfigurationString => server.ConfigurationString;

    /// <summary>A connection to look into the server with, apart from those under test; admin commands are allowed.</summary>
    public IConnectionMultiplexer Admin => admin;

    public static async Task<SharedServer> StartAsync(ServerKind kind, params string[] arguments)
    {
        IRunningServer server = kind.IsProcess ? await ServerProcess.StartAsync(kind, arguments) : EmbeddedGarnet.Start();
        return await server.ThenAsync(async server => new SharedServer(
            kind, server, await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString + ",allowAdmin=true,name=test-admin")));
    }

    public async ValueTask DisposeAsync()
    {
        await admin.DisposeAsync();
        await server.DisposeAsync();
    }
}
