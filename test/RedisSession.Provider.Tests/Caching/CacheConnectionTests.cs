using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider.Tests;

/// <summary>Which connection the cache uses, each with a real server, and whose it is in the end.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class CacheConnectionTests(ServerKind kind)
{
    private static readonly DistributedCacheEntryOptions OneMinute = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(1) };

    private SharedServer _server = null!;

    [OneTimeSetUp]
    public async Task StartServer() => _server = await TestServers.GetAsync(kind);

    [Test]
    public async Task A_connection_that_its_options_name_is_opened_at_the_start_and_closed_with_the_application()
    {
        string name = NewName();
        var host = await StartAsync(services => services.AddRedisHashCache(Named(name)));
        Assert.That(ClientsNamed(name), Is.GreaterThan(0));
        await WorksAsync(host);
        await StopAsync(host);
        Assert.That(() => ClientsNamed(name), Is.Zero.After(5000, 10));
    }

    [Test]
    public async Task Disposing_the_cache_closes_a_connection_that_was_opened_for_it()
    {
        string name = NewName();
        var host = await StartAsync(services => services.AddRedisHashCache(Named(name)));
        ((IDisposable)CacheOf(host)).Dispose();
        Assert.That(() => ClientsNamed(name), Is.Zero.After(5000, 10));
        await StopAsync(host);
    }

    [Test]
    public async Task Without_one_it_uses_that_of_the_sessions_in_either_order([Values] bool sessionsFirst, [Values] bool disposeAsync)
    {
        string name = NewName();
        await using var unused = await ConnectionMultiplexer.ConnectAsync(_server.ConfigurationString);
        var host = await StartAsync(services =>
        {
            services.AddSingleton<IConnectionMultiplexer>(unused); // the sessions' comes first
            if (!sessionsFirst) services.AddRedisHashCache();
            services.AddRedisHashSession(Named(name));
            if (sessionsFirst) services.AddRedisHashCache();
        });
        await WorksAsync(host, name);
        var redis = await host.Services.GetRequiredService<IRedisSessionConnection>().GetDatabaseAsync();
        Assert.That(await UsedAsync(host), Is.SameAs(redis.Multiplexer));

        var cache = CacheOf(host);
        if (disposeAsync) await ((IAsyncDisposable)cache).DisposeAsync();
        else ((IDisposable)cache).Dispose();
        Assert.That(() => cache.Get("key"), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(async () => await cache.GetAsync("key"), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(await redis.PingAsync(), Is.GreaterThan(TimeSpan.Zero), "the sessions go on");
        await StopAsync(host);
    }

    [Test]
    public async Task Beside_sessions_it_has_its_own_where_its_options_name_one()
    {
        string sessions = NewName(), cache = NewName();
        var host = await StartAsync(services => services.AddRedisHashSession(Named(sessions)).AddRedisHashCache(Named(cache)));
        await WorksAsync(host, cache);
        await StopAsync(host);
    }

    [Test]
    public async Task Without_sessions_it_uses_the_applications_and_leaves_it_open()
    {
        string plain = NewName(), keyed = NewName(), made = NewName();
        await using var fromServices = await ConnectAsync(plain);
        await using var fromKey = await ConnectAsync(keyed);
        await using var fromFactory = await ConnectAsync(made);
        foreach (var (name, configure) in new (string, Action<RedisHashCacheOptions>)[]
        {
            (plain, _ => { }),
            (keyed, options => options.ServiceKey = "cache"),
            (made, options => options.ConnectionMultiplexerFactory = () => Task.FromResult<IConnectionMultiplexer>(fromFactory)),
        })
        {
            var host = await StartAsync(services => services
                .AddSingleton<IConnectionMultiplexer>(fromServices)
                .AddKeyedSingleton<IConnectionMultiplexer>("cache", fromKey)
                .AddRedisHashCache(configure));
            await WorksAsync(host, name);
            await StopAsync(host);
        }

        Assert.That(fromServices.IsConnected && fromKey.IsConnected && fromFactory.IsConnected, Is.True);
    }

    [Test]
    public async Task A_redis_url_names_server_and_database()
    {
        string key = NewName();
        var host = await StartAsync(services => services.AddRedisHashCache($"redis://{_server.ConfigurationString}/3"));
        await CacheOf(host).SetAsync(key, [1], OneMinute);
        Assert.That(await _server.Admin.GetDatabase(3).KeyExistsAsync(key), Is.True);
        await StopAsync(host);
    }

    [Test]
    public async Task An_application_whose_redis_is_away_starts_all_the_same()
    {
        var host = await StartAsync(services => services.AddRedisHashCache(
            options => options.ConnectionMultiplexerFactory = () => Task.FromException<IConnectionMultiplexer>(SessionWithoutRedis.Error)));
        var cache = CacheOf(host);
        Assert.That(() => cache.GetAsync("key"), Throws.Exception.SameAs(SessionWithoutRedis.Error));
        Assert.That(() => cache.Get("key"), Throws.Exception.SameAs(SessionWithoutRedis.Error));
        await StopAsync(host);
    }

    private static string NewName() => $"cache-client-{Guid.NewGuid():N}";

    private string Named(string name) => $"{_server.ConfigurationString},name={name}";

    private Task<ConnectionMultiplexer> ConnectAsync(string name) => ConnectionMultiplexer.ConnectAsync(Named(name));

    private int ClientsNamed(string name) => _server.Admin.GetServers().Single().ClientList().Count(client => client.Name == name);

    private static async Task<IHost> StartAsync(Action<IServiceCollection> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        configure(builder.Services);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private static async Task StopAsync(IHost host)
    {
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    private static IDistributedCache CacheOf(IHost host) => host.Services.GetRequiredService<IDistributedCache>();

    private static async Task WorksAsync(IHost host, string? clientName = null)
    {
        string key = NewName();
        await CacheOf(host).SetAsync(key, [1], OneMinute);
        Assert.That(await CacheOf(host).GetAsync(key), Is.EqualTo(new byte[] { 1 }));
        if (clientName is not null) Assert.That((await UsedAsync(host)).ClientName, Is.EqualTo(clientName));
    }

    private static async Task<IConnectionMultiplexer> UsedAsync(IHost host) =>
        (await host.Services.GetRequiredService<RedisHashCacheConnection>().Connection.GetDatabaseAsync()).Multiplexer;
}
