using Microsoft.Extensions.Caching.Hybrid;

namespace RedisSession.Provider.Tests;

/// <summary>HybridCache over the cache: each application has a memory of its own, and Redis is what they share.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class HybridCacheTests(ServerKind kind)
{
    private static readonly HybridCacheEntryOptions TenMinutes = new() { Expiration = TimeSpan.FromMinutes(10) };

    private readonly string _instanceName = CacheStack.NewInstanceName();
    private string _configuration = null!;
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task Connect()
    {
        var server = await TestServers.GetAsync(kind);
        _configuration = server.ConfigurationString;
        _redis = server.Admin.GetDatabase();
    }

    [Test]
    public async Task What_one_application_made_another_reads([Values(10, 500_000)] int length)
    {
        await using var one = StartApp();
        await using var another = StartApp();
        string key = NewKey(), value = new('x', length);
        Assert.That(await Cache(one).GetOrCreateAsync(key, _ => ValueTask.FromResult(value), TenMinutes), Is.EqualTo(value));
        Assert.That(async () => await _redis.KeyExistsAsync(_instanceName + key), Is.True.After(10_000, 5)); // it answers before it writes
        Assert.That(await Cache(another).GetOrCreateAsync(key, MustNotBeMade, TenMinutes), Is.EqualTo(value));
        Assert.That(
            await _redis.KeyTimeToLiveAsync(_instanceName + key), Is.EqualTo(TimeSpan.FromMinutes(10)).Within(TimeSpan.FromSeconds(30)));
    }

    [Test]
    public async Task Without_its_own_memory_it_reads_Redis_each_time()
    {
        await using var app = StartApp();
        var options = new HybridCacheEntryOptions { Expiration = TenMinutes.Expiration, Flags = HybridCacheEntryFlags.DisableLocalCache };
        string key = NewKey();
        await Cache(app).SetAsync(key, "first", options);
        Assert.That(await Cache(app).GetOrCreateAsync(key, MustNotBeMade, options), Is.EqualTo("first"));
        await _redis.KeyDeleteAsync(_instanceName + key);
        Assert.That(await Cache(app).GetOrCreateAsync(key, _ => ValueTask.FromResult("second"), options), Is.EqualTo("second"));
    }

    [Test]
    public async Task What_was_removed_is_made_again()
    {
        await using var one = StartApp();
        await using var another = StartApp();
        string key = NewKey();
        await Cache(one).SetAsync(key, "old", TenMinutes);
        await Cache(one).RemoveAsync(key);
        Assert.That(await _redis.KeyExistsAsync(_instanceName + key), Is.False);
        Assert.That(await Cache(another).GetOrCreateAsync(key, _ => ValueTask.FromResult("new"), TenMinutes), Is.EqualTo("new"));
    }

    [Test]
    public async Task What_was_removed_by_its_tag_is_made_again_in_applications_that_start_later()
    {
        await using var one = StartApp();
        string key = NewKey(), tag = NewKey();
        await Cache(one).SetAsync(key, "old", TenMinutes, [tag]);
        await Cache(one).RemoveByTagAsync(tag);
        await using var later = StartApp();
        foreach (var app in new[] { later, one })
            Assert.That(await Cache(app).GetOrCreateAsync(key, _ => ValueTask.FromResult("new"), TenMinutes, [tag]), Is.EqualTo("new"));
    }

    [Test]
    public async Task Of_many_that_ask_at_once_one_makes_it()
    {
        await using var app = StartApp();
        string key = NewKey();
        int made = 0;
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(async () => await Cache(app).GetOrCreateAsync(
            key,
            async _ =>
            {
                Interlocked.Increment(ref made);
                await Task.Yield();
                return "value";
            },
            TenMinutes))));
        Assert.That(answers, Is.All.EqualTo("value"));
        Assert.That(made, Is.EqualTo(1));
    }

    private static string NewKey() => Guid.NewGuid().ToString("N");

    private static ValueTask<string> MustNotBeMade(CancellationToken token) => throw new AssertionException("It is in Redis.");

    private ServiceProvider StartApp()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddRedisHashCache(options => (options.Configuration, options.InstanceName) = (_configuration, _instanceName));
        services.AddHybridCache();
        return services.BuildServiceProvider();
    }

    private static HybridCache Cache(ServiceProvider app) => app.GetRequiredService<HybridCache>();
}
