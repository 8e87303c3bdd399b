using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider.Tests;

/// <summary>A cache on one stack and a look into its server: what most cache fixtures start from.</summary>
internal abstract class CacheFixture(CacheStack stack)
{
    protected static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);
    protected static readonly byte[] Value = [1, 2, 3];

    private RunningCache _running = null!;

    protected CacheStack Stack { get; } = stack;

    protected IBufferDistributedCache Cache => _running.Cache;

    /// <summary>A look into the server behind the back of the cache.</summary>
    protected IDatabase Redis { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartCache()
    {
        _running = await Stack.StartAsync();
        Redis = (await TestServers.GetAsync(Stack.Server)).Admin.GetDatabase();
    }

    [OneTimeTearDown]
    public async Task StopCache() => await _running.DisposeAsync();

    protected static string NewKey() => Guid.NewGuid().ToString("N");

    /// <summary>Sets an entry that is new, and returns its key.</summary>
    protected async Task<string> NewEntryAsync(DistributedCacheEntryOptions options, CacheAccess access = CacheAccess.Asynchronous)
    {
        string key = NewKey();
        await access.SetAsync(Cache, key, Value, options);
        return key;
    }

    protected static DistributedCacheEntryOptions Never => new();

    protected static DistributedCacheEntryOptions Sliding(TimeSpan window) => new() { SlidingExpiration = window };

    protected static DistributedCacheEntryOptions FromNow(TimeSpan time) => new() { AbsoluteExpirationRelativeToNow = time };

    protected RedisKey KeyOf(string key) => _running.InstanceName + key;

    protected async Task<TimeSpan?> TimeToLiveAsync(string key) => await Redis.KeyTimeToLiveAsync(KeyOf(key));

    /// <summary>As if time had passed: only the TTL of the key is less than it was.</summary>
    protected async Task AgeAsync(string key, TimeSpan timeToLive) =>
        Assert.That(await Redis.KeyExpireAsync(KeyOf(key), timeToLive), Is.True, "there is such an entry");

    protected async Task<string?> FieldAsync(string key, string field) => await Redis.HashGetAsync(KeyOf(key), field);
}
