using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>The directory and the lists of users when Redis does not answer.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class DirectoryOutageTests(ServerKind kind)
{
    private static readonly TimeSpan IOTimeout = TimeSpan.FromSeconds(2); // a loaded machine is slow

    private static IEnumerable<TestCaseData> Calls()
    {
        TestCaseData Call(string name, Func<IRedisSessionDirectory, SessionInfo, CancellationToken, Task> call) =>
            new TestCaseData(call).SetArgDisplayNames(name);
        yield return Call("lists", (directory, _, token) => directory.ListAsync(token).CountAsync(CancellationToken.None).AsTask());
        yield return Call("counts", (directory, _, token) => directory.CountAsync(token));
        yield return Call("gets", (directory, session, token) => directory.GetAsync(session.Id, token));
        yield return Call(
            "finds", (directory, _, token) => directory.FindByUserAsync("ann", token).CountAsync(CancellationToken.None).AsTask());
        yield return Call("ends", (directory, session, token) => directory.EndAsync(session.Id, token));
        yield return Call("ends all", (directory, _, token) => directory.EndAllForUserAsync("ann", null, token));
        yield return Call("reads values", (_, session, token) => session.GetValuesAsync(token));
    }

    [TestCaseSource(nameof(Calls))]
    public async Task A_wait_ends_with_the_IOTimeout_or_the_patience_of_who(
        Func<IRedisSessionDirectory, SessionInfo, CancellationToken, Task> call)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server);
        using var browser = app.NewBrowser();
        string id = await browser.VisitAsAsync("ann", session =>
        {
            session.SetString("key", "old");
            return session.Id;
        });
        var directory = app.Services.GetRequiredService<IRedisSessionDirectory>();
        var session = (await directory.GetAsync(id))!;
        server.Pause();
        try
        {
            var timedOut = await Assert.CatchAsync<OperationCanceledException>(() => call(directory, session, CancellationToken.None));
            Assert.That(timedOut!.InnerException, Is.InstanceOf<TimeoutException>());

            using var impatient = new CancellationTokenSource();
            var waiting = call(directory, session, impatient.Token);
            await impatient.CancelAsync();
            var cancelled = await Assert.CatchAsync<OperationCanceledException>(() => waiting);
            Assert.That(cancelled!.CancellationToken, Is.EqualTo(impatient.Token));
        }
        finally
        {
            server.Resume();
        }
    }

    [TestCaseSource(nameof(Calls))]
    public async Task A_server_that_is_away_is_told_to_who(Func<IRedisSessionDirectory, SessionInfo, CancellationToken, Task> call)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server);
        using var browser = app.NewBrowser();
        string id = await browser.VisitAsAsync("ann", session =>
        {
            session.SetString("key", "old");
            return session.Id;
        });
        var directory = app.Services.GetRequiredService<IRedisSessionDirectory>();
        var session = (await directory.GetAsync(id))!;
        server.Kill();
        await Assert.CatchAsync<RedisException>(() => call(directory, session, CancellationToken.None));
    }

    /// <summary>What keeps a session listed is never the failure that a request meets, nor one wait more.</summary>
    [Test]
    public async Task A_request_meets_one_failure_and_one_wait([Values] RedisSessionMode mode)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server, mode);
        using var browser = app.NewBrowser();
        await browser.VisitAsAsync("ann", session => session.SetString("key", "old"));
        await using var other = await StartAsync(server, mode); // does not know the session
        browser.At(other);
        server.Pause();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        try
        {
            await browser.VisitAsAsync("ann", session => Assert.That(session.GetString("key"), Is.Null));
        }
        finally
        {
            server.Resume();
        }

        Assert.That(clock.Elapsed, Is.LessThan(1.9 * IOTimeout));
        Assert.That(other.Logs.Of(SessionEvents.ReadFailed), Has.Count.EqualTo(1));
        Assert.That(
            async () => await browser.VisitAsAsync("ann", session => session.GetString("key")), Is.EqualTo("old").After(10_000, 20));
    }

    private static Task<TestApp> StartAsync(ServerProcess server, RedisSessionMode mode = RedisSessionMode.Buffered) =>
        TestApp.StartAsync(services => services.AddRedisHashSession(options =>
        {
            (options.Configuration, options.Mode, options.IOTimeout) = (server.ConfigurationString, mode, IOTimeout);
            options.OutageTolerance = TimeSpan.Zero; // it is away for good
        }));
}
