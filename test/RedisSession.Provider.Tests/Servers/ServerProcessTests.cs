using System.Diagnostics;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class ServerProcessTests(ServerKind kind)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(300);

    [Test]
    public async Task Server_is_what_its_name_says()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{server.ConfigurationString},allowAdmin=true");

        var answer = await connection.GetServers().Single().InfoRawAsync("server");
        Assert.That(answer, Does.Contain($"_version:{kind.Version}"));
    }

    [Test]
    public async Task Killed_server_comes_back_on_its_port()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        var port = server.Port;

        server.Kill();
        Assert.That(await server.AnswersAsync(Moment), Is.False);

        await server.RestartAsync();
        Assert.That(server.Port, Is.EqualTo(port));
        Assert.That(await server.AnswersAsync(Soon), Is.True);
    }

    [Test]
    public async Task Restarted_server_is_another_process()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        var before = server.ProcessId;

        await server.RestartAsync();

        Assert.That(server.ProcessId, Is.Not.EqualTo(before));
        Assert.That(IsAlive(before), Is.False);
    }

    [Test]
    public async Task Paused_server_answers_only_after_it_is_resumed()
    {
        await using var server = await ServerProcess.StartAsync(kind);

        server.Pause();
        Assert.That(await server.AnswersAsync(Moment), Is.False);

        server.Resume();
        Assert.That(await server.AnswersAsync(Soon), Is.True);
    }

    [Test]
    public async Task Disposed_server_leaves_no_process_behind()
    {
        var server = await ServerProcess.StartAsync(kind);
        var id = server.ProcessId;

        await server.DisposeAsync();

        Assert.That(IsAlive(id), Is.False);
        Assert.That(FreePort.IsFree(server.Port), Is.True);
    }

    [Test]
    public async Task Disposed_server_need_not_run()
    {
        var paused = await ServerProcess.StartAsync(kind);
        paused.Pause();
        var killed = await ServerProcess.StartAsync(kind);
        killed.Kill();

        Assert.That(async () => await paused.DisposeAsync(), Throws.Nothing);
        Assert.That(async () => await killed.DisposeAsync(), Throws.Nothing);
    }

    [Test]
    public async Task Extra_arguments_reach_the_server()
    {
        await using var server = await ServerProcess.StartAsync(kind, "--requirepass", "secret", "--databases", "3");
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{server.ConfigurationString},password=secret");

        Assert.That(connection.GetServers().Single().DatabaseCount, Is.EqualTo(3));
    }

    [Test]
    public void Server_that_does_not_start_says_why()
    {
        Assert.That(
            async () => await ServerProcess.StartAsync(kind, "--no-such-setting", "1"),
            Throws.InvalidOperationException.With.Message.Contains("no-such-setting"));
    }

    private static bool IsAlive(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
