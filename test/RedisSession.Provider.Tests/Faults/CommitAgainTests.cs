using System.Text;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// After a failure the application may ask again, in the same request: a commit tries what has failed once more, and the newest value wins.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class CommitAgainTests(ServerKind kind)
{
    [Test]
    public async Task A_commit_works_after_a_read_that_timed_out([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await own.Browser.VisitAsync(async context =>
        {
            await WhilePausedAsync(own, () => context.Session.LoadAsync());
            context.Session.SetString("key", "new");
            await context.Session.CommitAsync();
        });
        Assert.That(await own.Browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"));
    }

    // The first may have been applied all the same: applying it twice does no harm.
    [Test]
    public async Task A_commit_works_after_one_that_timed_out([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await own.Browser.VisitAsync(async context =>
        {
            context.Session.SetString("key", "1");
            await context.Session.CommitAsync();
            await WhilePausedAsync(own, () =>
            {
                context.Session.SetString("key", "2");
                return context.Session.CommitAsync();
            });
            context.Session.SetString("key", "3");
            await context.Session.CommitAsync();
            Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("3"));
        });
        Assert.That(await own.Browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("3"));
    }

    [Test]
    public async Task A_commit_waits_for_one_that_timed_out_and_is_still_under_way([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode, ioTimeout: TimeSpan.FromSeconds(1));
        await own.Browser.VisitAsync(async context =>
        {
            Task again;
            own.Server.Pause();
            try
            {
                context.Session.SetString("key", "new");
                Assert.That(async () => await context.Session.CommitAsync(), Throws.InstanceOf<OperationCanceledException>());
                again = context.Session.CommitAsync();
                Assert.That(again.IsCompleted, Is.False);
            }
            finally
            {
                own.Server.Resume();
            }

            await again;
        });
        Assert.That(await own.Browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"));
    }

    [Test]
    public async Task Of_several_writes_that_failed_all_are_written_and_the_newest_value_wins([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await own.Browser.VisitAsync(async context =>
        {
            await own.KillServerAsync();
            foreach (string value in (string[])["1", "2"])
            {
                byte[] bytes = Encoding.UTF8.GetBytes(value);
                var values = new Dictionary<string, byte[]> { ["key"] = bytes, [$"with {value}"] = bytes };
                Assert.That(async () => await context.Session.SetAsync(values), Throws.InstanceOf<RedisException>());
            }

            context.Session.SetString("other", "3");
            await own.Server.RestartAsync();
            await UntilAnswersAsync(own.App);
            await context.Session.CommitAsync();
        });
        await own.Browser.VisitAsync(session =>
        {
            Assert.That(session.GetString("key"), Is.EqualTo("2"));
            Assert.That(session.GetString("other"), Is.EqualTo("3"));
            Assert.That(session.Keys, Is.EquivalentTo(["key", "with 1", "with 2", "other"]));
        });
    }

    private static async Task WhilePausedAsync(OwnServerApp own, Func<Task> timesOut)
    {
        own.Server.Pause();
        try
        {
            await Assert.ThatAsync(timesOut, Throws.InstanceOf<OperationCanceledException>());
        }
        finally
        {
            own.Server.Resume();
        }

        await UntilAnswersAsync(own.App);
    }

    /// <summary>Returns when the application's connection works: from then on a commit has no excuse.</summary>
    private static async Task UntilAnswersAsync(TestApp app)
    {
        var redis = await app.RedisAsync();
        await Assert.ThatAsync(
            async () =>
            {
                try
                {
                    await redis.PingAsync();
                    return true;
                }
                catch (RedisException)
                {
                    return false;
                }
            },
            Is.True.After(20_000, 20));
    }

    private Task<OwnServerApp> StartAsync(RedisSessionMode mode, TimeSpan? ioTimeout = null) => OwnServerApp.StartAsync(
        kind, options => (options.Mode, options.IOTimeout) = (mode, ioTimeout ?? TimeSpan.FromMilliseconds(500)));
}
