using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider.Tests;

/// <summary>The flag belongs to the process: nothing runs beside a test that clears it.</summary>
[NonParallelizable]
internal sealed class DedicatedThreadsTests
{
    private const string Flag = "DedicatedThreads";

    private SharedServer _server = null!;

    [OneTimeSetUp]
    public async Task StartServer() => _server = await TestServers.GetAsync(ServerKind.Garnet);

    [TearDown]
    public void SetFlag() => ConnectionMultiplexer.SetFeatureFlag(Flag, true);

    [Test]
    public async Task A_connection_of_the_application_without_dedicated_threads_is_warned_of_once()
    {
        ConnectionMultiplexer.SetFeatureFlag(Flag, false);
        Assert.That(await WarningsAsync(options => { }), Is.EqualTo(1));
        Assert.That(ConnectionMultiplexer.GetFeatureFlag(Flag), Is.False, "the application's business");
    }

    [Test]
    public async Task Nobody_is_warned_who_has_the_flag_or_wants_it_so()
    {
        ConnectionMultiplexer.SetFeatureFlag(Flag, false);
        Assert.That(await WarningsAsync(options => options.UseDedicatedThreads = false), Is.Zero);
        ConnectionMultiplexer.SetFeatureFlag(Flag, true);
        Assert.That(await WarningsAsync(options => { }), Is.Zero);
    }

    [Test]
    public async Task A_connection_of_ours_sets_the_flag_unless_told_otherwise()
    {
        foreach (bool wanted in new[] { false, true })
        {
            ConnectionMultiplexer.SetFeatureFlag(Flag, false);
            await using var app = await TestApp.StartAsync(_server.ConfigurationString, options => options.UseDedicatedThreads &= wanted);
            await ConnectionTests.WorksAsync(app);
            Assert.That(ConnectionMultiplexer.GetFeatureFlag(Flag), Is.EqualTo(wanted));
        }
    }

    [Test]
    public async Task A_connection_of_the_cache_sets_the_flag_unless_told_otherwise()
    {
        foreach (bool wanted in new[] { false, true })
        {
            ConnectionMultiplexer.SetFeatureFlag(Flag, false);
            await using var services = new ServiceCollection().AddRedisHashCache(options =>
                (options.Configuration, options.UseDedicatedThreads) = (_server.ConfigurationString, wanted)).BuildServiceProvider();
            await services.GetRequiredService<IDistributedCache>().GetAsync("key");
            Assert.That(ConnectionMultiplexer.GetFeatureFlag(Flag), Is.EqualTo(wanted));
        }
    }

    [Test]
    public async Task The_warning_names_what_uses_the_connection()
    {
        ConnectionMultiplexer.SetFeatureFlag(Flag, false);
        await using var own = await ConnectionMultiplexer.ConnectAsync(_server.ConfigurationString);
        await using var app = await TestApp.StartAsync(
            services => services.AddSingleton<IConnectionMultiplexer>(own).AddRedisHashCache(), use: _ => { });
        Assert.That(
            app.Logs.Of(SessionEvents.NoDedicatedThreads).Single().Message,
            Does.Contain("AddRedisHashCache").And.Not.Contain("AddRedisHashSession"));
    }

    private async Task<int> WarningsAsync(Action<RedisHashSessionOptions> configure)
    {
        await using var own = await ConnectionMultiplexer.ConnectAsync(_server.ConfigurationString);
        await using var app = await TestApp.StartAsync(services => services.AddSingleton<IConnectionMultiplexer>(own).AddRedisHashSession(configure));
        await ConnectionTests.WorksAsync(app);
        await ConnectionTests.WorksAsync(app);
        return app.Logs.Of(SessionEvents.NoDedicatedThreads).Count;
    }
}
