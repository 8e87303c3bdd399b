using System.ComponentModel;
using StackExchange.Redis;

namespace RedisSession.Provider.Benchmarks;

/// <summary>The Redis that holds the sessions: one of our own, ended with us, or one that was named.</summary>
internal sealed class RedisUnderTest : IAsyncDisposable
{
    private readonly IConnectionMultiplexer _connection;
    private readonly ServerProcess? _own;

    private RedisUnderTest(string address, IConnectionMultiplexer connection, ServerProcess? own)
    {
        Address = address;
        _connection = connection;
        _own = own;
        Version = $"{connection.GetServers()[0].GetProductVariant(out string version)} {version}";
    }

    public string Address { get; }

    /// <summary>Product and version, by its own word.</summary>
    public string Version { get; }

    /// <param name="address">Where it is; null to start one.</param>
    /// <exception cref="BenchmarkException">It does not answer, or there is none to start.</exception>
    public static async Task<RedisUnderTest> StartAsync(string? address)
    {
        if (address is not null) return new(address, await ConnectAsync(address), own: null);

        string binary = Executables.FindOnPath("redis-server")
            ?? throw new BenchmarkException("There is no redis-server on PATH. Install one, or name a running one: --redis host:port.");
        try
        {
            var own = await ServerProcess.StartAsync(ServerKind.FromBinary(binary));
            return new(own.ConfigurationString, await ConnectAsync(own.ConfigurationString), own);
        }
        catch (Exception error) when (error is InvalidOperationException or TimeoutException or Win32Exception)
        {
            throw new BenchmarkException($"{binary} does not start: {error.Message}", error);
        }
    }

    public Task<RedisCounters> CountAsync() => RedisCounters.ReadAsync(_connection);

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        if (_own is not null) await _own.DisposeAsync();
    }

    private static async Task<IConnectionMultiplexer> ConnectAsync(string address)
    {
        try
        {
            return await ConnectionMultiplexer.ConnectAsync(address, options => options.AllowAdmin = true); // for INFO
        }
        catch (Exception error) when (error is RedisException or ArgumentException)
        {
            throw new BenchmarkException($"No Redis answers at '{address}': {error.Message}", error);
        }
    }
}
