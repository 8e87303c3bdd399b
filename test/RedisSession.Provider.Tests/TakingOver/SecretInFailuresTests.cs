using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// AddSession's entries are named by the session key, the secret in the cookie, and the Redis client names in its exceptions what it could
/// not get. Neither logs nor error pages may have it.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class SecretInFailuresTests(ServerKind kind)
{
    private const string InstanceName = "shop:";

    [Test]
    public async Task A_cache_that_fails_does_not_bring_the_session_key_into_logs_or_exceptions([Values] RedisSessionMode mode)
    {
        var server = await TestServers.GetAsync(kind);
        await using var old = await TakeoverFixture.StartOldAsync(server.ConfigurationString, InstanceName);
        using var browser = await TakeoverFixture.LeaveAsync(old);
        string secret = TestApp.SessionKeyIn(browser.SessionCookie!.Value);
        await using var app = await TestApp.StartAsync(services =>
        {
            services.AddSingleton<IDistributedCache, TalkativeCache>();
            services.AddRedisHashSession(options =>
            {
                (options.Configuration, options.KeyPrefix, options.Mode) = (server.ConfigurationString, SessionStack.NewKeyPrefix(), mode);
                options.TakeOverSessionsFromDistributedCache();
            });
        });
        await browser.At(app).VisitAsync(context =>
        {
            Assert.That(context.Session.GetString("name"), Is.Null);
            Assert.That(
                async () => await context.Session.LoadAsync(),
                Throws.Exception.With.Message.Contains("cannot read").And.Message.Not.Contains(secret));
            return Task.CompletedTask;
        });
        await browser.VisitAsync(session => session.SetString("new", "1"));
        await browser.VisitAsync(_ => { });
        await Until.TrueAsync("the untouched one is logged", () => Task.FromResult(app.Logs.Of(SessionEvents.RefreshFailed).Count > 0));
        Assert.That(app.Logs.Of(SessionEvents.ReadFailed), Has.Count.EqualTo(1));
        Assert.That(app.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));
        Assert.That(app.Logs.All.Select(entry => $"{entry.Message} {entry.Error}"), Has.None.Contains(secret));
    }

    [Test]
    public async Task Nor_does_the_Redis_of_the_sessions()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(options =>
        {
            options.Configuration = server.ConfigurationString + ",connectTimeout=300";
            options.OutageTolerance = TimeSpan.FromMilliseconds(100);
            options.TakeOverSessions(InstanceName);
        }));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("a", "1"));
        var left = app.Services.GetRequiredService<SessionTakeover>().Stock!;
        server.Kill();
        string secret = Guid.NewGuid().ToString();
        foreach (var call in (Func<Task>[])
            [
                () => left.FindAsync(secret, Waiting.Asynchronously),
                () => left.FindAsync(secret, Waiting.Blocking(TimeSpan.FromSeconds(30))),
                () => left.MarkAsync(secret, "generation", Waiting.Asynchronously),
                () => left.PassOverAsync(secret, Waiting.Asynchronously),
                () => left.EndAsync(secret, Waiting.Asynchronously),
            ])
        {
            Assert.That(
                async () => await call(),
                Throws.InstanceOf<RedisException>().With.Matches<Exception>(error => !Names(error!, secret)));
        }

        static bool Names(Exception error, string secret) =>
            $"{error} {string.Join(' ', error.Data.Values.Cast<object>())}".Contains(secret, StringComparison.Ordinal);
    }

    private sealed class TalkativeCache : IDistributedCache
    {
        public byte[] Get(string key) => throw Failure(key);

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => throw Failure(key);

        public void Refresh(string key) => throw Failure(key);

        public Task RefreshAsync(string key, CancellationToken token = default) => throw Failure(key);

        public void Remove(string key) => throw Failure(key);

        public Task RemoveAsync(string key, CancellationToken token = default) => throw Failure(key);

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw Failure(key);

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) =>
            throw Failure(key);

        private static IOException Failure(string key) => new("cannot read", new FileNotFoundException(null, key));
    }
}
