using System.ComponentModel;

namespace RedisSession.Provider.Benchmarks;

/// <summary>The Redis that holds the sessions: one of our own, ended with us, or one that was named.</summary>
internal sealed class RedisUnderTest : IAsyncDisposable
{
    private readonly IAsyncDisposable? _own;

    private RedisUnderTest(string address, IConnectionMultiplexer connection, IAsyncDisposable? own)
    {
        Address = address;
        Connection = connection;
        _own = own;
        Version = $"{connection.GetServers()[0].GetProductVariant(out string version)} {version}";
    }

    public string Address { get; }

    /// <summary>For whoever wants to know how it is.</summary>
    public IConnectionMultiplexer Connection { get; }

    /// <summary>Product and version, by its own word.</summary>
    public string Version { get; }

    /// <param name="address">Where it is; null to start one.</param>
    /// <exception cref="BenchmarkException">It does not answer, or there is none to start.</exception>
    public static async Task<RedisUnderTest> StartAsync(string? address)
    {
        if (address is not null) return new(address, await ConnectAsync(address), own: null);

        return await StartAsync(async kind =>
        {
            var own = await ServerProcess.StartAsync(kind);
            return (own.ConfigurationString, own);
        });
    }

    /// <summary>One of our own that is spread over <paramref name="primaries"/>.</summary>
    /// <inheritdoc cref="StartAsync(string?)" path="/exception"/>
    public static Task<RedisUnderTest> StartClusterAsync(int primaries) => StartAsync(async kind =>
    {
        var own = await RedisCluster.StartAsync(kind, primaries, hasReplicas: false); // those would take processor time
        return (own.ConfigurationString, own);
    });

    /// <summary>The same length for everybody: it is on the wire in each command.</summary>
    public static string NewPrefix() => $"bench-{Guid.NewGuid():N}:";

    public Task<RedisCounters> CountAsync() => RedisCounters.ReadAsync(Connection);

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        if (_own is not null) await _own.DisposeAsync();
    }

    private static async Task<RedisUnderTest> StartAsync(Func<ServerKind, Task<(string Address, IAsyncDisposable Own)>> start)
    {
        string binary = Executables.FindOnPath("redis-server")
            ?? throw new BenchmarkException("There is no redis-server on PATH. Install one, or name a running one: --redis host:port.");
        try
        {
            var (address, own) = await start(ServerKind.FromBinary(binary));
            return new(address, await ConnectAsync(address), own);
        }
        catch (Exception error) when (error is InvalidOperationException or TimeoutException or Win32Exception)
        {
            throw new BenchmarkException($"{binary} does not start: {error.Message}", error);
        }
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
