using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>After a failure the application may ask again, in the same request: a commit tries what has failed once more, and the newest value wins.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable(ParallelScope.All)]
internal sealed class CommitAgainTests(ServerKind kind)
{
    [Test]
    public async Task A_commit_works_after_a_read_that_timed_out([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "old"));
        await browser.VisitAsync(async context =>
        {
            await WhilePausedAsync(server, () => context.Session.LoadAsync());
            context.Session.SetString("key", "new");
            await UntilItWorksAsync(() => context.Session.CommitAsync());
        });
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"));
    }

    // The first may have been applied all the same: applying it twice does no harm.
    [Test]
    public async Task A_commit_works_after_one_that_timed_out([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "old"));
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("key", "1");
            await context.Session.CommitAsync();
            await WhilePausedAsync(server, () =>
            {
                context.Session.SetString("key", "2");
                return context.Session.CommitAsync();
            });
            context.Session.SetString("key", "3");
            await UntilItWorksAsync(() => context.Session.CommitAsync());
            Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("3"));
        });
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("3"));
    }

    [Test]
    public async Task A_commit_waits_for_one_that_timed_out_and_is_still_under_way([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode, ioTimeout: TimeSpan.FromSeconds(1));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "old"));
        await browser.VisitAsync(async context =>
        {
            Task again;
            server.Pause();
            try
            {
                context.Session.SetString("key", "new");
                Assert.That(async () => await context.Session.CommitAsync(), Throws.InstanceOf<OperationCanceledException>());
                again = context.Session.CommitAsync();
                Assert.That(again.IsCompleted, Is.False);
            }
            finally
            {
                server.Resume();
            }

            await again;
        });
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"));
    }

    [Test]
    public async Task Of_several_writes_that_failed_the_newest_is_written([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "old"));
        await browser.VisitAsync(async context =>
        {
            server.Kill();
            var redis = await app.Services.GetRequiredService<IRedisSessionConnection>().GetDatabaseAsync();
            Assert.That(() => redis.Multiplexer.IsConnected, Is.False.After(20_000, 5));
            foreach (string value in (string[])["1", "2"])
            {
                Assert.That(
                    async () => await context.Session.SetAsync("key", System.Text.Encoding.UTF8.GetBytes(value)), Throws.InstanceOf<RedisException>());
            }

            context.Session.SetString("other", "3");
            await server.RestartAsync();
            await UntilItWorksAsync(() => context.Session.CommitAsync());
        });
        await browser.VisitAsync(session =>
        {
            Assert.That(session.GetString("key"), Is.EqualTo("2"));
            Assert.That(session.GetString("other"), Is.EqualTo("3"));
        });
    }

    private static async Task WhilePausedAsync(ServerProcess server, Func<Task> timesOut)
    {
        server.Pause();
        try
        {
            await Assert.ThatAsync(timesOut, Throws.InstanceOf<OperationCanceledException>());
        }
        finally
        {
            server.Resume();
        }
    }

    /// <summary>A server that was away needs a moment.</summary>
    private static async Task UntilItWorksAsync(Func<Task> work)
    {
        var until = DateTime.UtcNow.AddSeconds(20);
        while (true)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception error) when (error is RedisException or OperationCanceledException && DateTime.UtcNow < until)
            {
                await Task.Delay(20);
            }
        }
    }

    private static Task<TestApp> StartAsync(ServerProcess server, RedisSessionMode mode, TimeSpan? ioTimeout = null) =>
        TestApp.StartAsync(services => services.AddRedisHashSession(options =>
        {
            (options.Configuration, options.Mode) = (server.ConfigurationString, mode);
            options.IOTimeout = ioTimeout ?? TimeSpan.FromMilliseconds(200);
        }));
}
