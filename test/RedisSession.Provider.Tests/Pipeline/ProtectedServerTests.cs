using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Servers behind a password or a Unix socket, by URL.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class ProtectedServerTests(ServerKind kind)
{
    private const string Password = "p@ss:w/rd?#%";

    [Test]
    public async Task A_url_gives_user_and_password_percent_encoded()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using (var admin = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString + ",allowAdmin=true"))
        {
            await admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", "shop", "on", $">{Password}", "~*", "&*", "+@all");
            await admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", "default", "off");
        }

        string url = $"redis://shop:{Uri.EscapeDataString(Password)}@{server.ConfigurationString}/0";
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(url));
        await ConnectionTests.WorksAsync(app);
    }

    [Test]
    public async Task A_url_names_a_Unix_socket()
    {
        string socket = Path.Combine(Path.GetTempPath(), $"rs-{Guid.NewGuid():N}.sock");
        await using var server = await ServerProcess.StartAsync(kind, "--unixsocket", socket);
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession($"unix://{socket}?db=1"));
        await ConnectionTests.WorksAsync(app);
    }
}
