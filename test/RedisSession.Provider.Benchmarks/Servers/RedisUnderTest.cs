using System.ComponentModel;
using StackExchange.Redis;

namespace RedisSession.Provider.Benchmarks;

/// <summary>The Redis that holds the sessions: one of our own, ended with us, or one that was named.</summary>
internal sealed class RedisUnderTest : IAsyncDisposable
{
    private readonly ServerProcess? _own;

    private RedisUnderTest(string address, string version, ServerProcess? own)
    {
        Address = address;
        Version = version;
        _own = own;
    }

    public string Address { get; }

    /// <summary>Product and version, by its own word.</summary>
    public string Version { get; }

    /// <param name="address">Where it is; null to start one.</param>
    /// <exception cref="BenchmarkException">It does not answer, or there is none to start.</exception>
    public static async Task<RedisUnderTest> StartAsync(string? address)
    {
        if (address is not null) return new(address, await AskVersionAsync(address), own: null);

        string binary = Executables.FindOnPath("redis-server")
            ?? throw new BenchmarkException("There is no redis-server on PATH. Install one, or name a running one: --redis host:port.");
        try
        {
            var own = await ServerProcess.StartAsync(ServerKind.FromBinary(binary));
            return new(own.ConfigurationString, await AskVersionAsync(own.ConfigurationString), own);
        }
        catch (Exception error) when (error is InvalidOperationException or TimeoutException or Win32Exception)
        {
            throw new BenchmarkException($"{binary} does not start: {error.Message}", error);
        }
    }

    public ValueTask DisposeAsync() => _own?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<string> AskVersionAsync(string address)
    {
        try
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(address);
            var product = connection.GetServers()[0].GetProductVariant(out string version);
            return $"{product} {version}";
        }
        catch (Exception error) when (error is RedisException or ArgumentException)
        {
            throw new BenchmarkException($"No Redis answers at '{address}': {error.Message}", error);
        }
    }
}
