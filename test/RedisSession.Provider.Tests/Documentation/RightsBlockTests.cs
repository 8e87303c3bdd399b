using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace RedisSession.Provider.Tests;

/// <summary>The ACL commands of docs/operating.md, as a person pastes them into redis-cli.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class RightsBlockTests(ServerKind kind)
{
    private static readonly MarkdownBlock[] Blocks =
        [.. MarkdownDocument.Of("docs/operating.md").Blocks.Where(block => block.Content[0].StartsWith("ACL ", StringComparison.Ordinal))];

    [Test]
    public async Task The_block_for_this_server_makes_a_user_for_whom_everything_works_and_shuts_the_door()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await PasteAsync(server, AclTests.HasFieldExpiryOn(kind) ? Blocks[0] : Blocks[1]);
        await using var app = await TestApp.StartAsync(services =>
        {
            services.AddRedisHashSession(options => (options.Configuration, options.KeyPrefix, options.FailureMode) =
                ($"redis://sessions:password@{server.ConfigurationString}", "app:", FailureMode.Throw));
            services.AddHealthChecks().AddRedisHashSession();
        });
        using var browser = app.NewBrowser();
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("a", "1");
            await context.RenewSessionAsync("ann");
        });
        Assert.That((await app.Directory.FindByUserAsync("ann").SingleAsync()).SizeInBytes, Is.Positive);
        var health = await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.That(health.Status, Is.EqualTo(HealthStatus.Healthy), health.Entries.Single().Value.Description);
        Assert.That(() => Resp.AskAsync(server.Port, "PING"), Throws.InstanceOf<RespErrorException>().With.Message.Contains("NOAUTH"));
    }

    [Test]
    public async Task The_block_for_handlers_adds_what_they_need()
    {
        await using var server = await ListeningApp.StartServerAsync(kind);
        await PasteAsync(server, AclTests.HasFieldExpiryOn(kind) ? Blocks[0] : Blocks[1], Blocks[2]);
        await using var app = await ListeningApp.StartAsync(
            $"redis://sessions:password@{server.ConfigurationString}", new RecordedEvents(), options => options.KeyPrefix = "app:").WhenListeningAsync();
        Assert.That(app.Logs.Of(SessionEvents.ListeningFailed), Is.Empty);
    }

    /// <summary>Each line is answered with OK.</summary>
    private async Task PasteAsync(ServerProcess server, params MarkdownBlock[] blocks)
    {
        string[] lines = [.. blocks.SelectMany(block => block.Content)];
        string answers = FindClient() is { } client ? await PasteAsync(client, server.Port, lines) : await SendAsync(server.Port, lines);
        Assert.That(answers.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), Is.EqualTo(lines.Select(_ => "OK")));
    }

    private string? FindClient()
    {
        string name = kind.Name.StartsWith("valkey", StringComparison.Ordinal) ? "valkey-cli" : "redis-cli";
        string beside = Path.Combine(Path.GetDirectoryName(kind.Binary!)!, name);
        return File.Exists(beside) ? beside : Executables.FindOnPath(name);
    }

    private static async Task<string> PasteAsync(string client, int port, IEnumerable<string> lines)
    {
        var start = new ProcessStartInfo(client, ["-h", "127.0.0.1", "-p", $"{port}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        foreach (string line in lines) await process.StandardInput.WriteLineAsync(line);
        process.StandardInput.Close();
        string answers = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return answers;
    }

    /// <summary>Where there is no redis-cli: the server takes lines apart as it does.</summary>
    private static async Task<string> SendAsync(int port, string[] lines)
    {
        using var client = new TcpClient("127.0.0.1", port);
        using var reader = new StreamReader(client.GetStream());
        await using var writer = new StreamWriter(client.GetStream()) { AutoFlush = true, NewLine = "\r\n" };
        string answers = "";
        foreach (string line in lines)
        {
            await writer.WriteLineAsync(line);
            answers += (await reader.ReadLineAsync())!.TrimStart('+') + '\n';
        }

        return answers;
    }
}
