using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A server that all tests of a run share. Tests keep apart by key prefixes of their own and never flush it, kill it or
/// pause it; whoever needs that starts a <see cref="ServerProcess"/>.
/// </summary>
internal sealed class SharedServer : IAsyncDisposable
{
    private readonly IRunningServer _server;

    private SharedServer(ServerKind kind, IRunningServer server, IConnectionMultiplexer admin)
    {
        Kind = kind;
        _server = server;
        Admin = admin;
    }

    public ServerKind Kind { get; }

    public string ConfigurationString => _server.ConfigurationString;

    /// <summary>A connection to look into the server with, apart from those under test; admin commands are allowed.</summary>
    public IConnectionMultiplexer Admin { get; }

    public static async Task<SharedServer> StartAsync(ServerKind kind)
    {
        IRunningServer server = kind.IsProcess ? await ServerProcess.StartAsync(kind) : EmbeddedGarnet.Start();
        try
        {
            var options = ConfigurationOptions.Parse(server.ConfigurationString);
            options.AllowAdmin = true;
            options.ClientName = "test-admin";
            return new SharedServer(kind, server, await ConnectionMultiplexer.ConnectAsync(options));
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Admin.DisposeAsync();
        await _server.DisposeAsync();
    }
}
