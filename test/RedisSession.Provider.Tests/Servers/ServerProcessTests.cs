using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>Of a test's own server what no other test would notice.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable] // another test could take the port that must be free again
internal sealed class ServerProcessTests(ServerKind kind)
{
    [Test]
    public async Task Disposed_server_leaves_no_process_behind()
    {
        var server = await ServerProcess.StartAsync(kind);
        int id = server.ProcessId;
        await server.DisposeAsync();
        Assert.That(() => Process.GetProcessById(id), Throws.ArgumentException);
        Assert.That(FreePort.IsFree(server.Port), Is.True);
    }

    [Test]
    public void Server_that_does_not_start_says_why() => Assert.That(
        async () => await ServerProcess.StartAsync(kind, "--no-such-setting", "1"),
        Throws.InvalidOperationException.With.Message.Contains("no-such-setting"));
}
