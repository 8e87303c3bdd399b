using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A session provider under the stock middleware, as an application sets it up: stock, or ours in a mode on a kind of server.
/// </summary>
internal sealed record SessionStack(
    string Name, ServerKind? Server, RedisSessionMode Mode = RedisSessionMode.Buffered, bool IsStock = false)
{
    /// <summary>AddSession over the cache in memory: what ASP.NET Core does.</summary>
    public static SessionStack Stock { get; } = new("stock", null, IsStock: true);

    /// <summary>AddSession over our cache: its sessions must not notice.</summary>
    public static IReadOnlyList<SessionStack> StockOverOurCache { get; } =
        [.. TestServers.FewKinds.Select(server => new SessionStack($"stock over AddRedisHashCache on {server}", server, IsStock: true))];

    /// <summary>Ours: both modes and both pipelines on every kind of server.</summary>
    public static IReadOnlyList<SessionStack> Ours { get; } =
    [
        .. from server in TestServers.FewKinds
           from mode in Enum.GetValues<RedisSessionMode>()
           from pipeline in (Pipeline[])[Pipeline.UseSession, Pipeline.UseRedisHashSession]
           select new SessionStack($"{mode.ToString().ToLowerInvariant()} on {server}, {pipeline}", server, mode) { Pipeline = pipeline },
    ];

    /// <summary>Ours with each session loaded ahead, on the embedded server.</summary>
    public static IReadOnlyList<SessionStack> Preloaded { get; } =
    [
        .. from mode in Enum.GetValues<RedisSessionMode>()
           select new SessionStack($"preloaded {mode.ToString().ToLowerInvariant()} on {ServerKind.Garnet}", ServerKind.Garnet, mode)
           {
               Pipeline = Pipeline.UseRedisHashSessionLoadingAhead,
           },
    ];

    public Pipeline Pipeline { get; init; }

    /// <summary>What else the application has.</summary>
    public Action<IServiceCollection>? AddMore { get; init; }

    public static IReadOnlyList<SessionStack> All { get; } = [Stock, .. StockOverOurCache, .. Ours, .. Preloaded];

    /// <summary>Starts an application on it. Applications given the same <paramref name="keyPrefix"/> share their sessions.</summary>
    public async Task<TestApp> StartAsync(string? keyPrefix = null, Action<SessionOptions>? configure = null)
    {
        if (Server is null)
        {
            return await TestApp.StartAsync(services =>
            {
                services.AddDistributedMemoryCache();
                services.AddSession(options => configure?.Invoke(options));
            });
        }

        var server = await TestServers.GetAsync(Server);
        if (IsStock)
        {
            return await TestApp.StartAsync(services =>
            {
                services.AddRedisHashCache(options =>
                    (options.Configuration, options.InstanceName) = (server.ConfigurationString, keyPrefix ?? NewKeyPrefix()));
                services.AddSession(options => configure?.Invoke(options));
            });
        }

        return await TestApp.StartAsync(
            services =>
            {
                AddMore?.Invoke(services);
                services.AddRedisHashSession(options =>
                {
                    options.Configuration = server.ConfigurationString;
                    options.KeyPrefix = keyPrefix ?? NewKeyPrefix();
                    options.Mode = Mode;
                    configure?.Invoke(options);
                });
            },
            app => app.Use(Pipeline));
    }

    /// <summary>Tests share servers and keep apart by prefixes.</summary>
    public static string NewKeyPrefix() => $"test-{Guid.NewGuid():N}:";

    public override string ToString() => Name;
}
