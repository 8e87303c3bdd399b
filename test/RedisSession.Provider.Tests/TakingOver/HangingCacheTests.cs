using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A cache that never answers, as a database behind a firewall that has just been closed. The client of the sessions' Redis ends its own
/// waits sooner than the IOTimeout; this wait it does not know.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class HangingCacheTests(ServerKind kind)
{
    // More than enough to tell "after the IOTimeout" from "never".
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public async Task A_load_ends_with_the_IOTimeout([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        await browser.At(app).VisitAsync(context =>
        {
            Assert.That(
                async () => await context.Session.LoadAsync().WaitAsync(Patience),
                Throws.InstanceOf<OperationCanceledException>().With.InnerException.InstanceOf<TimeoutException>());
            return Task.CompletedTask;
        });
        Assert.That(app.Logs.Of(SessionEvents.TimedOut), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_response_does_not_wait_longer_for_what_was_set([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        await browser.At(app).VisitAsync(session => session.SetString("new", "1")).WaitAsync(Patience);
        Assert.That(app.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Nor_does_a_renewal_which_is_made_nor_an_end_which_says_so([Values] RedisSessionMode mode)
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var before = await StartAsync(mode, prefix, takesOver: false);
        await using var app = await StartAsync(mode, prefix);
        using var browser = before.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.SetString("name", "Ann");
            return session.Id;
        });
        string renewed = await browser.At(app).VisitAsync(async context =>
        {
            await context.RenewSessionAsync().WaitAsync(Patience);
            return context.Session.Id;
        });
        Assert.That(renewed, Is.Not.EqualTo(id));
        Assert.That(app.Logs.Of(SessionEvents.StockSessionNotMarked), Has.Count.EqualTo(1));
        await browser.VisitAsync(context =>
        {
            Assert.That(
                async () => await context.AbandonSessionAsync().WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());
            return Task.CompletedTask;
        });
    }

    /// <summary>A visitor whose cookie names a session that has no hash.</summary>
    private static async Task<Browser> LeaveAsync()
    {
        await using var old = await TestApp.StartAsync(services =>
        {
            services.AddDistributedMemoryCache();
            services.AddSession();
        });
        return await TakeoverFixture.LeaveAsync(old);
    }

    private async Task<TestApp> StartAsync(RedisSessionMode mode, string? prefix = null, bool takesOver = true)
    {
        var server = await TestServers.GetAsync(kind);
        return await TestApp.StartAsync(services =>
        {
            services.AddSingleton<IDistributedCache, HangingCache>();
            services.AddRedisHashSession(options =>
            {
                options.Configuration = $"{server.ConfigurationString},asyncTimeout=2000";
                (options.KeyPrefix, options.Mode) = (prefix ?? SessionStack.NewKeyPrefix(), mode);
                options.IOTimeout = TimeSpan.FromMilliseconds(2500);
                if (takesOver) options.TakeOverSessionsFromDistributedCache();
            });
        });
    }

    private sealed class HangingCache : IDistributedCache
    {
        private readonly Task<byte[]?> _never = new TaskCompletionSource<byte[]?>().Task;

        public byte[] Get(string key) => throw new NotSupportedException();

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => _never;

        public void Refresh(string key) => throw new NotSupportedException();

        public Task RefreshAsync(string key, CancellationToken token = default) => _never;

        public void Remove(string key) => throw new NotSupportedException();

        public Task RemoveAsync(string key, CancellationToken token = default) => _never;

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw new NotSupportedException();

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) => _never;
    }
}
