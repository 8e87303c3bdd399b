using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Nobody need wait for a write whose failure is logged, so nothing of it may surface as an unobserved task exception, which applications
/// log as errors or end at. Those come from the finalizer and belong to the process: no other test may run meanwhile.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable]
internal sealed class UnobservedFailureTests(ServerKind kind)
{
    private readonly ConcurrentQueue<Exception> _unobserved = new();

    [SetUp]
    public void Watch()
    {
        FinalizeWhatIsLost(); // what other tests have left is theirs
        _unobserved.Clear();
        TaskScheduler.UnobservedTaskException += Note;
    }

    [TearDown]
    public void Unwatch() => TaskScheduler.UnobservedTaskException -= Note;

    [Test]
    public async Task A_refused_write_leaves_none([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString);
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser);
        await browser.VisitAsync(async context =>
        {
            Assert.That(context.Session.GetString("key"), Is.EqualTo("old"));
            await admin.GetDatabase().KeyDeleteAsync($"sessions:{id}");
            await context.Response.StartAsync();
            context.Session.SetString("late", "1");
        });
        Assert.That(() => app.Logs.Of(SessionEvents.WriteRefused), Is.Not.Empty.After(5000, 5));
        RequireNone();
    }

    [Test]
    public async Task A_write_that_timed_out_leaves_none([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode);
        using var browser = app.NewBrowser();
        await NewSessionAsync(browser);
        server.Pause();
        await browser.VisitAsync(session => session.SetString("key", "new"));
        Assert.That(app.Logs.Of(SessionEvents.TimedOut), Is.Not.Empty);

        // Now what is still under way fails, and nobody is left to wait for it.
        server.Kill();
        await app.UntilDisconnectedAsync();
        RequireNone();
    }

    private void Note(object? sender, UnobservedTaskExceptionEventArgs unobserved) => _unobserved.Enqueue(unobserved.Exception);

    private void RequireNone()
    {
        for (int i = 0; i < 3; i++) FinalizeWhatIsLost();
        Assert.That(_unobserved, Is.Empty);
    }

    private static void FinalizeWhatIsLost()
    {
        Thread.Sleep(20); // continuations that are due
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private static Task<string> NewSessionAsync(Browser browser) => browser.VisitAsync(session =>
    {
        session.SetString("key", "old");
        return session.Id;
    });

    private static Task<TestApp> StartAsync(ServerProcess server, RedisSessionMode mode) => TestApp.StartAsync(
        server.ConfigurationString, options => (options.Mode, options.IOTimeout) = (mode, TimeSpan.FromMilliseconds(200)));
}
