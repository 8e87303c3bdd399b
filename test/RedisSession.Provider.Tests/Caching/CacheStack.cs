using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider.Tests;

/// <summary>A distributed cache as an application sets it up: Microsoft's RedisCache or ours, on a kind of server.</summary>
internal sealed record CacheStack(string Name, ServerKind Server, bool IsStock)
{
    public static IReadOnlyList<CacheStack> Stock { get; } = [.. TestServers.FewKinds.Select(kind => OfStock(kind))];

    public static IReadOnlyList<CacheStack> Ours { get; } = [.. TestServers.FewKinds.Select(kind => OfOurs(kind))];

    public static IReadOnlyList<CacheStack> All { get; } = [.. Stock, .. Ours];

    public static CacheStack OfStock(ServerKind kind) => new($"RedisCache on {kind}", kind, IsStock: true);

    public static CacheStack OfOurs(ServerKind kind) => new($"ours on {kind}", kind, IsStock: false);

    /// <summary>Tests share servers and keep apart by prefixes.</summary>
    public static string NewInstanceName() => $"cache-{Guid.NewGuid():N}:";

    /// <summary>A cache of its own. Those that are given the same <paramref name="instanceName"/> share their entries.</summary>
    public async Task<RunningCache> StartAsync(string? instanceName = null)
    {
        var server = await TestServers.GetAsync(Server);
        return Start(server.ConfigurationString, instanceName ?? NewInstanceName());
    }

    /// <summary>The same on any server.</summary>
    public RunningCache Start(string configuration, string instanceName, TimeSpan? outageTolerance = null)
    {
        var services = new ServiceCollection().AddLogging();
        _ = IsStock
            ? services.AddStackExchangeRedisCache(options => (options.Configuration, options.InstanceName) = (configuration, instanceName))
            : services.AddRedisHashCache(options =>
            {
                (options.Configuration, options.InstanceName) = (configuration, instanceName);
                options.OutageTolerance = outageTolerance ?? options.OutageTolerance;
            });
        return new(services.BuildServiceProvider(), instanceName);
    }

    public override string ToString() => Name;
}

/// <summary>A cache and the application that it lives in.</summary>
internal sealed class RunningCache(ServiceProvider services, string instanceName) : IAsyncDisposable
{
    public IBufferDistributedCache Cache { get; } = (IBufferDistributedCache)services.GetRequiredService<IDistributedCache>();

    public string InstanceName { get; } = instanceName;

    /// <summary>Whether ours has its server, as far as it knows.</summary>
    public bool IsConnected => services.GetRequiredService<RedisHashCacheConnection>().Connection.OpenDatabase!.Multiplexer.IsConnected;

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
