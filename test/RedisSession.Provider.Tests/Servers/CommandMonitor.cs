using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests;

/// <summary>What a server really receives, by its own word: the MONITOR command, which Redis and Valkey have.</summary>
internal sealed partial class CommandMonitor : IAsyncDisposable
{
    private readonly SharedServer _server;
    private readonly TcpClient _tcp;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Task _reading;

    private CommandMonitor(SharedServer server, TcpClient tcp, StreamReader reader)
    {
        _server = server;
        _tcp = tcp;
        _reading = ReadAsync(reader);
    }

    /// <summary>The server has all of the library's scripts from now on: which tests ran before does not matter.</summary>
    public static async Task<CommandMonitor> StartAsync(SharedServer server)
    {
        foreach (string script in LuaScripts.Texts) await server.Admin.GetDatabase().ExecuteAsync("SCRIPT", "LOAD", script);
        var tcp = new TcpClient();
        await tcp.ConnectAsync(IPEndPoint.Parse(server.ConfigurationString));
        var stream = tcp.GetStream();
        await stream.WriteAsync("MONITOR\r\n"u8.ToArray());
        var reader = new StreamReader(stream);
        Assert.That(await reader.ReadLineAsync(), Is.EqualTo("+OK"));
        return new CommandMonitor(server, tcp, reader);
    }

    /// <summary>
    /// The commands that name <paramref name="keyPrefix"/> and arrive while <paramref name="work"/> runs, by name and in order. Commands
    /// that scripts call are not among them: they cost no round trip.
    /// </summary>
    public async Task<IReadOnlyList<string>> CommandsDuringAsync(string keyPrefix, Func<Task> work)
    {
        await SynchronizeAsync();
        _lines.Clear();
        await work();
        await SynchronizeAsync();
        return [.. _lines.Where(line => line.Contains(keyPrefix, StringComparison.Ordinal)).Select(NameOf).OfType<string>()];
    }

    public async ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        await _reading.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    /// <summary>Waits until all commands that the server has seen so far have been told.</summary>
    private async Task SynchronizeAsync()
    {
        string mark = Guid.NewGuid().ToString("N");
        await _server.Admin.GetDatabase().ExecuteAsync("ECHO", mark);
        Assert.That(() => _lines.Any(line => line.Contains(mark, StringComparison.Ordinal)), Is.True.After(10_000, 1));
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line) _lines.Enqueue(line);
    }

    private static string? NameOf(string line) =>
        Line().Match(line) is { Success: true } match ? match.Groups["name"].Value.ToUpperInvariant() : null;

    // +1700000000.123456 [0 127.0.0.1:54321] "HMGET" "key" …     a script's own calls have [0 lua]
    [GeneratedRegex("""^\+[\d.]+ \[\d+ [\d.:]+\] "(?<name>\w+)" """)]
    private static partial Regex Line();
}
