namespace RedisSession.Provider.Tests;

/// <summary>The directory and the lists of users when Redis does not answer.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class DirectoryOutageTests(ServerKind kind)
{
    private static readonly TimeSpan IOTimeout = TimeSpan.FromSeconds(2); // a loaded machine is slow

    private static IEnumerable<TestCaseData> Calls()
    {
        TestCaseData Call(string name, Func<IRedisSessionDirectory, SessionInfo, CancellationToken, Task> call) =>
            new TestCaseData(call).SetArgDisplayNames(name);
        yield return Call("lists", async (directory, _, token) => await directory.ListAsync(token).CountAsync(CancellationToken.None));
        yield return Call("counts", (directory, _, token) => directory.CountAsync(token));
        yield return Call("gets", (directory, session, token) => directory.GetAsync(session.Id, token));
        yield return Call("finds", async (directory, _, token) => await directory.FindByUserAsync("ann", token).CountAsync(CancellationToken.None));
        yield return Call("ends", (directory, session, token) => directory.EndAsync(session.Id, token));
        yield return Call("ends all", (directory, _, token) => directory.EndAllForUserAsync("ann", null, token));
        yield return Call("reads values", (_, session, token) => session.GetValuesAsync(token));
    }

    [TestCaseSource(nameof(Calls))]
    public async Task A_wait_ends_with_the_IOTimeout_or_the_patience_of_who(
        Func<IRedisSessionDirectory, SessionInfo, CancellationToken, Task> call)
    {
        await using var own = await StartAsync();
        var session = await SessionOfAnnAsync(own);
        using var paused = own.Server.Paused();
        var timedOut = await Assert.CatchAsync<OperationCanceledException>(() => call(own.App.Directory, session, default));
        Assert.That(timedOut!.InnerException, Is.InstanceOf<TimeoutException>());

        using var impatient = new CancellationTokenSource();
        var waiting = call(own.App.Directory, session, impatient.Token);
        await impatient.CancelAsync();
        var cancelled = await Assert.CatchAsync<OperationCanceledException>(() => waiting);
        Assert.That(cancelled!.CancellationToken, Is.EqualTo(impatient.Token));
    }

    [TestCaseSource(nameof(Calls))]
    public async Task A_server_that_is_away_is_told_to_who(Func<IRedisSessionDirectory, SessionInfo, CancellationToken, Task> call)
    {
        await using var own = await StartAsync();
        var session = await SessionOfAnnAsync(own);
        own.Server.Kill();
        await Assert.CatchAsync<RedisException>(() => call(own.App.Directory, session, CancellationToken.None));
    }

    /// <summary>What keeps a session listed is never the failure that a request meets, nor one wait more.</summary>
    [Test]
    public async Task A_request_meets_one_failure_and_one_wait([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await own.Browser.NewSessionAsync("ann");
        await using var other = await TestApp.StartAsync(own.Server.ConfigurationString, options => Configure(options, mode));
        var browser = own.Browser.At(other); // which does not know the session
        using (own.Server.Paused())
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            await browser.VisitAsAsync("ann", session => Assert.That(session.GetString("key"), Is.Null));
            Assert.That(clock.Elapsed, Is.LessThan(1.9 * IOTimeout));
        }

        Assert.That(other.Logs.Of(SessionEvents.ReadFailed), Has.Count.EqualTo(1));
        await Assert.ThatAsync(() => browser.VisitAsAsync("ann", session => session.GetString("key")), Is.EqualTo("old").After(10_000, 20));
    }

    private Task<OwnServerApp> StartAsync(RedisSessionMode mode = RedisSessionMode.Buffered) =>
        OwnServerApp.StartAsync(kind, options => Configure(options, mode));

    private static void Configure(RedisHashSessionOptions options, RedisSessionMode mode) =>
        (options.Mode, options.IOTimeout, options.OutageTolerance) = (mode, IOTimeout, TimeSpan.Zero); // it is away for good

    private static async Task<SessionInfo> SessionOfAnnAsync(OwnServerApp own) =>
        (await own.App.Directory.GetAsync(await own.Browser.NewSessionAsync("ann")))!;
}
