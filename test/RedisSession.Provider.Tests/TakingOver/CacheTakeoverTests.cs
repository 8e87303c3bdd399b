using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider.Tests;

/// <summary>Sessions that AddSession has left in an IDistributedCache of the container, whatever that is: here Microsoft's RedisCache.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class CacheTakeoverTests(ServerKind kind) : TakeoverFixture(kind)
{
    // More than enough to tell "after the IOTimeout" from "never".
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Whatever_a_request_does_first_nothing_is_lost_and_the_entry_is_removed(
        [Values] RedisSessionMode mode, [ValueSource(typeof(FirstAccess), nameof(FirstAccess.All))] FirstAccess first)
    {
        await using var app = await StartWithRedisCacheAsync(mode);
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
        await using var app = await StartWithRedisCacheAsync(mode);
        using var first = await LeaveAsync();
        await CheckKeptAsync(first.At(app)); // RedisCache connects at its first use, and for that it needs threads that are blocked below
        using var browser = await LeaveAsync();
        await InParallelAsync(browser, 64, [app], async (context, i) =>
        {
            // RedisCache blocks where the session does, and the embedded server has the threads that are blocked then.
            bool blocks = i % 2 == 0 && Stack.Server.IsProcess;
            Assert.That(blocks ? context.Session.GetString("name") : await context.Session.GetStrAsync("name"), Is.EqualTo("Ann"));
            context.Session.SetString($"from {i}", "1");
        });
        await CheckKeptAsync(browser.At(app));
        Assert.That((await KeysAsync(browser)).Count(key => key.StartsWith("from ", StringComparison.Ordinal)), Is.EqualTo(64));
        Assert.That(app.Logs.Of(SessionEvents.SessionTakenOver), Has.Count.EqualTo(2), "the first, and this one once");
    }

    [Test]
    public async Task One_that_is_abandoned_or_renewed_is_gone_from_the_cache([Values] RedisSessionMode mode, [Values] bool isRenewed)
    {
        await using var app = await StartWithRedisCacheAsync(mode);
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
        await using var app = await StartWithRedisCacheAsync(mode);
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
        await using var app = await StartAsync(mode, _ => throw new IOException("broken"));
        using var browser = await LeaveAsync();
        await browser.At(app).VisitAsync(session =>
        {
            Assert.That(session.GetString("name"), Is.Null);
            Assert.That(session.IsAvailable, Is.False);
            Assert.That(async () => await session.GetStrAsync("name"), Throws.InstanceOf<IOException>());
        });
        await browser.VisitAsync(session => Assert.That(async () => await session.SetAsync("new", [1]), Throws.InstanceOf<IOException>()));
        Assert.That(await Redis.KeyExistsAsync(HashKeyOf(browser)), Is.False);
        await CheckKeptAsync(browser.At(Apps[mode]));
    }

    [Test]
    public async Task A_cache_that_fails_does_not_bring_the_session_key_into_logs_or_exceptions([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode, key => throw new IOException("cannot read", new FileNotFoundException(null, key)));
        using var browser = await LeaveAsync();
        string secret = SessionKeyIn(browser);
        await browser.At(app).VisitAsync(session =>
        {
            Assert.That(session.GetString("name"), Is.Null);
            Assert.That(() => session.LoadAsync(), Throws.Exception.With.Message.Contains("cannot read").And.Message.Not.Contains(secret));
        });
        await browser.VisitAsync(session => session.SetString("new", "1"));
        await browser.VisitAsync(_ => { });
        await Until.TrueAsync("the untouched one is logged", () => Task.FromResult(app.Logs.Of(SessionEvents.RefreshFailed).Count > 0));
        Assert.That((app.Logs.Of(SessionEvents.ReadFailed).Count, app.Logs.Of(SessionEvents.WriteFailed).Count), Is.EqualTo((1, 1)));
        Assert.That(app.Logs.All.Select(entry => $"{entry.Message} {entry.Error}"), Has.None.Contains(secret));
    }

    [Test]
    public async Task A_load_from_a_cache_that_never_answers_ends_with_the_IOTimeout([Values] RedisSessionMode mode)
    {
        await using var app = await StartHangingAsync(mode);
        using var browser = await LeaveAsync();
        await browser.At(app).VisitAsync(session => Assert.That(
            async () => await session.LoadAsync().WaitAsync(Patience),
            Throws.InstanceOf<OperationCanceledException>().With.InnerException.InstanceOf<TimeoutException>()));
        Assert.That(app.Logs.Of(SessionEvents.TimedOut), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_response_does_not_wait_longer_for_what_was_set([Values] RedisSessionMode mode)
    {
        await using var app = await StartHangingAsync(mode);
        using var browser = await LeaveAsync();
        await browser.At(app).VisitAsync(session => session.SetString("new", "1")).WaitAsync(Patience);
        Assert.That(app.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Nor_does_a_renewal_which_is_made_nor_an_end_which_says_so([Values] RedisSessionMode mode)
    {
        await using var app = await StartHangingAsync(mode);
        using var browser = Apps[mode].NewBrowser();
        string id = await browser.SetStringAsync("name", "Ann");
        string renewed = await browser.At(app).VisitAsync(async context =>
        {
            await context.RenewSessionAsync().WaitAsync(Patience);
            return context.Session.Id;
        });
        Assert.That(renewed, Is.Not.EqualTo(id));
        Assert.That(app.Logs.Of(SessionEvents.StockSessionNotMarked), Has.Count.EqualTo(1));
        await browser.VisitAsync(context => Assert.ThatAsync(
            () => context.AbandonSessionAsync().WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>()));
    }

    private async Task<TestApp> StartWithRedisCacheAsync(RedisSessionMode mode)
    {
        string configuration = (await Stack.ServerAsync()).ConfigurationString;
        return await Stack.StartAsync(options => TakeFromCache(options, mode), services => services.AddStackExchangeRedisCache(options =>
            (options.Configuration, options.InstanceName) = (configuration, InstanceName)));
    }

    private Task<TestApp> StartAsync(RedisSessionMode mode, Func<string, Task<byte[]?>> answer) => Stack.StartAsync(
        options => TakeFromCache(options, mode), services => services.AddSingleton<IDistributedCache>(new OddCache(answer)));

    /// <summary>
    /// A cache that never answers, as a database behind a firewall that has just been closed. The client of the sessions' Redis ends its own
    /// waits sooner than the IOTimeout; this wait it does not know.
    /// </summary>
    private Task<TestApp> StartHangingAsync(RedisSessionMode mode) => Stack.StartAsync(
        options =>
        {
            TakeFromCache(options, mode);
            (options.Configuration, options.IOTimeout) = ($"{options.Configuration},asyncTimeout=2000", TimeSpan.FromMilliseconds(2500));
        },
        services => services.AddSingleton<IDistributedCache>(new OddCache(_ => new TaskCompletionSource<byte[]?>().Task)));

    private static void TakeFromCache(RedisHashSessionOptions options, RedisSessionMode mode)
    {
        options.Mode = mode;
        options.TakeOverSessionsFromDistributedCache();
    }

    /// <summary>Does the same at every call, with the key that it is asked for. The synchronous ones do not wait.</summary>
    private sealed class OddCache(Func<string, Task<byte[]?>> answer) : IDistributedCache
    {
        public byte[]? Get(string key) => answer(key) is { IsCompleted: true } done ? done.Result : throw new NotSupportedException();

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => answer(key);

        public void Refresh(string key) => Get(key);

        public Task RefreshAsync(string key, CancellationToken token = default) => answer(key);

        public void Remove(string key) => Get(key);

        public Task RemoveAsync(string key, CancellationToken token = default) => answer(key);

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => Get(key);

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) =>
            answer(key);
    }
}
