using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.RegularExpressions;

namespace RedisSession.Provider.Benchmarks;

/// <summary>A <see cref="BenchmarkServer"/> as seen from the process that measures it.</summary>
internal sealed partial class ServerUnderTest : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(30) };

    private ServerUnderTest(Process process, string prefix) => (_process, Prefix) = (process, prefix);

    public IPEndPoint Address { get; private set; } = null!;

    /// <summary>What all its keys begin with.</summary>
    public string Prefix { get; }

    /// <summary>Returns when it answers.</summary>
    /// <exception cref="BenchmarkException">It does not.</exception>
    public static async Task<ServerUnderTest> StartAsync(
        SessionVariant variant, string redis, CancellationToken cancellationToken, int reads = 1)
    {
        string prefix = RedisUnderTest.NewPrefix();
        string[] arguments = [BenchmarkServer.Name, "--variant", variant.Name, "--redis", redis, "--prefix", prefix, "--reads", $"{reads}"];
        return await new ServerUnderTest(await Command.StartAsync(arguments), prefix).ThenAsync(async server =>
        {
            await server.WaitUntilReadyAsync(cancellationToken);
            return server;
        });
    }

    /// <summary>Null where it does not answer: it may have no thread left for that.</summary>
    public async Task<ServerState?> AskStateAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _client.GetFromJsonAsync<ServerState>($"http://{Address}{BenchmarkServer.StatePath}", cancellationToken);
        }
        catch (Exception error)
            when (error is HttpRequestException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>Ends it at once: one that has stalled would not end by itself in any reasonable time.</summary>
    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            Address = IPEndPoint.Parse(await new ProcessOutput(_process).FindAsync(ReadyLine()).WaitAsync(cancellationToken));
        }
        catch (Exception error) when (error is InvalidOperationException or TimeoutException)
        {
            throw new BenchmarkException($"The server does not start: {error.Message}", error);
        }
    }

    [GeneratedRegex(BenchmarkServer.ReadyText + @"http://(127\.0\.0\.1:\d+)\s")]
    private static partial Regex ReadyLine();
}
