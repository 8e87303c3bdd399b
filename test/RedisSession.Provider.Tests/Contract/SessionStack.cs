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
           let name = $"preloaded {mode.ToString().ToLowerInvariant()} on {ServerKind.Garnet}"
           select new SessionStack(name, ServerKind.Garnet, mode) { Pipeline = Pipeline.UseRedisHashSessionLoadingAhead },
    ];

    public Pipeline Pipeline { get; init; }

    /// <summary>What else the application has.</summary>
    public Action<IServiceCollection>? AddMore { get; init; }

    /// <summary>Its pipeline, where <see cref="Pipeline"/> alone is not all.</summary>
    public Action<IApplicationBuilder>? Use { get; init; }

    public static IReadOnlyList<SessionStack> All { get; } = [Stock, .. StockOverOurCache, .. Ours, .. Preloaded];

    /// <summary>Starts an application on it. Applications given the same <paramref name="keyPrefix"/> share their sessions.</summary>
    public async Task<TestApp> StartAsync(string? keyPrefix = null, Action<SessionOptions>? configure = null)
    {
        string redis = Server is null ? "" : (await TestServers.GetAsync(Server)).ConfigurationString;
        string prefix = keyPrefix ?? NewKeyPrefix();
        return await TestApp.StartAsync(IsStock ? AddStock : AddOurs, Use ?? (app => app.Use(Pipeline)));

        void AddStock(IServiceCollection services)
        {
            if (Server is null) services.AddDistributedMemoryCache();
            else services.AddRedisHashCache(options => (options.Configuration, options.InstanceName) = (redis, prefix));
            services.AddSession(options => configure?.Invoke(options));
        }

        void AddOurs(IServiceCollection services)
        {
            AddMore?.Invoke(services);
            services.AddRedisHashSession(options =>
            {
                (options.Configuration, options.KeyPrefix, options.Mode) = (redis, prefix, Mode);
                configure?.Invoke(options);
            });
        }
    }

    /// <summary>Tests share servers and keep apart by prefixes.</summary>
    public static string NewKeyPrefix() => $"test-{Guid.NewGuid():N}:";

    public override string ToString() => Name;
}
