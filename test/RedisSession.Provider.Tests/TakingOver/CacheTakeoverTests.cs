using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Sessions that AddSession has left in an IDistributedCache of the container, whatever that is: here Microsoft's RedisCache.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class CacheTakeoverTests(ServerKind kind) : TakeoverFixture(kind)
{
    [Test]
    public async Task Whatever_a_request_does_first_nothing_is_lost_and_the_entry_is_removed(
        [Values] RedisSessionMode mode, [ValueSource(typeof(FirstAccess), nameof(FirstAccess.All))] FirstAccess first)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        var left = BlobKeyOf(browser);
        await browser.At(app).VisitAsync(first.Work);
        await Until.TrueAsync("it is taken over", async () => !await Redis.KeyExistsAsync(left));
        await CheckKeptAsync(browser, first.Removes);
        Assert.That(await KeysAsync(browser.At(Apps[mode])), Is.Not.Empty, "it is a hash like others");
    }

    [Test]
    public async Task Of_many_first_requests_all_find_it([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var first = await LeaveAsync();
        await CheckKeptAsync(first.At(app)); // RedisCache connects at its first use, and for that it needs threads that are blocked below
        using var browser = await LeaveAsync();
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async i =>
        {
            using var twin = browser.Twin();
            await twin.At(app).VisitAsync(async context =>
            {
                // RedisCache blocks where the session does, and the embedded server has the threads that are blocked then.
                bool blocks = i % 2 == 0 && Stack.Server.IsProcess;
                Assert.That(blocks ? context.Session.GetString("name") : await context.Session.GetStrAsync("name"), Is.EqualTo("Ann"));
                context.Session.SetString($"from {i}", "1");
            });
        }));
        await CheckKeptAsync(browser.At(app));
        Assert.That((await KeysAsync(browser)).Count(key => key.StartsWith("from ", StringComparison.Ordinal)), Is.EqualTo(64));
        Assert.That(app.Logs.Of(SessionEvents.SessionTakenOver), Has.Count.EqualTo(2), "the first, and this one once");
    }

    [Test]
    public async Task One_that_is_abandoned_or_renewed_is_gone_from_the_cache([Values] RedisSessionMode mode, [Values] bool isRenewed)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        using var thief = browser.Twin();
        await browser.At(app).VisitAsync(context => isRenewed ? context.RenewSessionAsync() : context.AbandonSessionAsync());
        Assert.That(await KeysAsync(thief.At(Old)), Is.Empty);
        Assert.That(await KeysAsync(thief.At(app)), Is.Empty);
        if (isRenewed) await CheckKeptAsync(browser);
    }

    [Test]
    public async Task What_is_no_session_begins_empty_and_is_left_alone([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        await Redis.HashSetAsync(BlobKeyOf(browser), "data", "hello");
        await browser.At(app).VisitAsync(session =>
        {
            Assert.That(session.Keys, Is.Empty);
            session.SetString("new", "1");
        });
        Assert.That(app.Logs.Of(SessionEvents.StockSessionUnreadable), Has.Count.EqualTo(1));
        Assert.That(await KeysAsync(browser), Is.EqualTo(["new"]));
        Assert.That((string?)await Redis.HashGetAsync(BlobKeyOf(browser), "data"), Is.EqualTo("hello"));
    }

    [Test]
    public async Task A_cache_that_fails_is_a_failing_read([Values] RedisSessionMode mode)
    {
        await using var app = await Stack.StartAsync(
            options => (options.Mode, _) = (mode, TakeFromCache(options)), services => services.AddSingleton<IDistributedCache, BrokenCache>());
        using var browser = await LeaveAsync();
        await browser.At(app).VisitAsync(async context =>
        {
            Assert.That(context.Session.GetString("name"), Is.Null);
            Assert.That(context.Session.IsAvailable, Is.False);
            Assert.That(async () => await context.Session.GetStrAsync("name"), Throws.InstanceOf<IOException>());
            await Task.CompletedTask;
        });
        await browser.VisitAsync(context =>
        {
            Assert.That(async () => await context.Session.SetAsync("new", [1]), Throws.InstanceOf<IOException>());
            return Task.CompletedTask;
        });
        Assert.That(await Redis.KeyExistsAsync(HashKeyOf(browser)), Is.False);
        await CheckKeptAsync(browser.At(Apps[mode]));
    }

    private Task<TestApp> StartAsync(RedisSessionMode mode) => Stack.StartAsync(
        options => (options.Mode, _) = (mode, TakeFromCache(options)),
        services =>
        {
            string configuration = Stack.ServerAsync().GetAwaiter().GetResult().ConfigurationString;
            services.AddStackExchangeRedisCache(options => (options.Configuration, options.InstanceName) = (configuration, InstanceName));
        });

    private static RedisHashSessionOptions TakeFromCache(RedisHashSessionOptions options)
    {
        options.TakeOverSessionsFromDistributedCache();
        return options;
    }

    private sealed class BrokenCache : IDistributedCache
    {
        public byte[] Get(string key) => throw new IOException("broken");

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => throw new IOException("broken");

        public void Refresh(string key) => throw new IOException("broken");

        public Task RefreshAsync(string key, CancellationToken token = default) => throw new IOException("broken");

        public void Remove(string key) => throw new IOException("broken");

        public Task RemoveAsync(string key, CancellationToken token = default) => throw new IOException("broken");

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw new IOException("broken");

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) =>
            throw new IOException("broken");
    }
}
