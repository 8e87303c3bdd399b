using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Session;

namespace RedisSession.Provider.Benchmarks;

/// <summary>A way to have sessions in Redis, as an application sets it up.</summary>
/// <param name="Name">What the command line and the results call it.</param>
/// <param name="Description">What it is.</param>
/// <param name="DedicatedThreads">Whether the Redis client reads replies on threads of its own; else on those of the pool.</param>
/// <param name="AddSession">Registers it; the texts are the address of the Redis and the prefix of all keys.</param>
/// <param name="UseSession">Puts it into the pipeline.</param>
internal sealed record SessionVariant(
    string Name, string Description, bool DedicatedThreads, Action<IServiceCollection, string, string> AddSession,
    Action<IApplicationBuilder> UseSession)
{
    public const string StockName = "stock";
    public const string OursName = "own";
    public const string FloorName = "floor";

    private const string DedicatedThreadsFlag = "DedicatedThreads";

    // A named Redis is left as it was found soon after.
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(5);

    public static IReadOnlyList<SessionVariant> All { get; } =
    [
        Stock(StockName, "AddSession + AddStackExchangeRedisCache", dedicatedThreads: false),
        Stock("stock-dedicated", "the same, with the client's DedicatedThreads feature flag set by hand", dedicatedThreads: true),
        Ours("buffered", "AddRedisHashSession, UseSession"),
        Ours("live", "the same, Mode = Live: each read is a round trip", RedisSessionMode.Live),
        Ours(OursName, "AddRedisHashSession, UseRedisHashSession", use: app => app.UseRedisHashSession()),
        Ours("own-unloaded", "the same, UseRedisHashSession(loadAhead: false)", use: app => app.UseRedisHashSession(loadAhead: false)),
        Ours("buffered-pool", "buffered, UseDedicatedThreads = false", dedicatedThreads: false),
        Ours("live-pool", "live, UseDedicatedThreads = false", RedisSessionMode.Live, dedicatedThreads: false),
        Ours("own-pool", "own, UseDedicatedThreads = false", use: app => app.UseRedisHashSession(), dedicatedThreads: false),
        Floor("floor-confirmed", "the floor, and what a request sets is confirmed before its answer begins", confirmsFirst: true),
        Floor(FloorName, "the session middleware with the least Redis work possible: no scripts, no checks, nothing confirmed"),
    ];

    /// <summary>Those that <see cref="CompareCommand"/> runs unless it is told others.</summary>
    public const string ComparedNames = "stock,buffered,own,own-unloaded,floor";

    /// <summary>Those that <see cref="BlockingCommand"/> runs unless it is told others: all that an application can have.</summary>
    public static string ApplicationNames { get; } =
        string.Join(',', All.Select(variant => variant.Name).Where(name => !name.StartsWith(FloorName, StringComparison.Ordinal)));

    /// <summary>Whether the flag is set in this process, by whomever.</summary>
    public static bool HasDedicatedThreads => ConnectionMultiplexer.GetFeatureFlag(DedicatedThreadsFlag);

    /// <summary>Those of a list of names with commas in between, in the order of <see cref="All"/>; all where there is none.</summary>
    /// <exception cref="UsageException">One of them does not exist.</exception>
    public static IReadOnlyList<SessionVariant> Named(string? list) => Names.Choose(list, All, variant => variant.Name, "variant");

    private static SessionVariant Stock(string name, string description, bool dedicatedThreads) => new(
        name, description, dedicatedThreads,
        (services, redis, prefix) =>
        {
            if (dedicatedThreads) ConnectionMultiplexer.SetFeatureFlag(DedicatedThreadsFlag, true);
            services.AddStackExchangeRedisCache(options => (options.Configuration, options.InstanceName) = (redis, prefix));
            services.AddSession(options => options.IdleTimeout = IdleTimeout);
        },
        app => app.UseSession());

    private static SessionVariant Ours(
        string name, string description, RedisSessionMode mode = RedisSessionMode.Buffered, Action<IApplicationBuilder>? use = null,
        bool dedicatedThreads = true) => new(
        name, description, dedicatedThreads,
        (services, redis, prefix) => services.AddRedisHashSession(options =>
        {
            (options.Configuration, options.KeyPrefix, options.IdleTimeout) = (redis, prefix, IdleTimeout);
            (options.Mode, options.UseDedicatedThreads) = (mode, dedicatedThreads);
        }),
        use ?? (app => app.UseSession()));

    private static SessionVariant Floor(string name, string description, bool confirmsFirst = false) => new(
        name, description, DedicatedThreads: true,
        (services, redis, prefix) =>
        {
            // The connection as ours would be.
            var options = RedisConnectionChoice.OwnConnection(RedisConnectionSettings.Of(new RedisHashSessionOptions { Configuration = redis }))!;
            ConnectionMultiplexer.SetFeatureFlag(DedicatedThreadsFlag, true);
            services.AddSingleton<IConnectionMultiplexer>(_ => ConnectionMultiplexer.Connect(options));
            services.AddSession(options => options.IdleTimeout = IdleTimeout);
            services.AddTransient<ISessionStore>(provider =>
                new FloorSessionStore(provider.GetRequiredService<IConnectionMultiplexer>().GetDatabase(), prefix, confirmsFirst));
        },
        app => app.UseSession());
}
