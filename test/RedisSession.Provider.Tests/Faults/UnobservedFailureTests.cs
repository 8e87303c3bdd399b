using System.Collections.Concurrent;

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
        await using var own = await StartAsync(mode);
        await own.Browser.VisitAsync(async context =>
        {
            Assert.That(context.Session.GetString("key"), Is.EqualTo("1"));
            await own.Server.AskAsync("DEL", "sessions:" + context.Session.Id);
            await context.Response.StartAsync();
            context.Session.SetString("late", "1");
        });
        Assert.That(() => own.App.Logs.Of(SessionEvents.WriteRefused), Is.Not.Empty.After(5000, 5));
        RequireNone();
    }

    [Test]
    public async Task A_write_that_timed_out_leaves_none([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        own.Server.Pause();
        await own.Browser.VisitAsync(session => session.SetString("key", "new"));
        Assert.That(own.App.Logs.Of(SessionEvents.TimedOut), Is.Not.Empty);
        await own.KillServerAsync(); // now what is still under way fails, and nobody is left to wait for it
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

    private Task<OwnServerApp> StartAsync(RedisSessionMode mode) => OwnServerApp.StartAsync(
        kind, options => (options.Mode, options.IOTimeout) = (mode, TimeSpan.FromMilliseconds(200)));
}
