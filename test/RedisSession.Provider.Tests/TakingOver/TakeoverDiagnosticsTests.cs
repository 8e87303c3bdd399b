namespace RedisSession.Provider.Tests;

/// <summary>What metrics and handlers are told of sessions that are taken over.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[NonParallelizable]
internal sealed class TakeoverDiagnosticsTests(ServerKind kind) : TakeoverFixture(kind)
{
    [Test]
    public async Task One_is_counted_as_taken_over_and_as_nothing_else([Values] RedisSessionMode mode, [Values] bool writes)
    {
        using var browser = await LeaveAsync();
        using var metrics = new RecordedMetrics();
        for (int i = 0; i < 2; i++) await browser.At(Apps[mode]).VisitAsync(session => Touch(session, writes));

        Assert.That((metrics.Sum(SessionMetrics.TakenOverSessions), metrics.Operations("take_over")), Is.EqualTo((1L, 1L)));
        Assert.That((metrics.Sum(SessionMetrics.CreatedSessions), metrics.Sum(SessionMetrics.EndedSessions)), Is.EqualTo((0L, 0L)));
    }

    [Test]
    public async Task One_that_is_nowhere_is_counted_as_expired([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        await Redis.KeyDeleteAsync(BlobKeyOf(browser));
        using var metrics = new RecordedMetrics();
        await browser.At(Apps[mode]).VisitAsync(session => session.GetString("name"));
        Assert.That(metrics.Sum(SessionMetrics.TakenOverSessions), Is.Zero);
        Assert.That(metrics.Sum(SessionMetrics.EndedSessions, (TelemetryTags.EndReason, "expired")), Is.EqualTo(1));
        Assert.That(metrics.Operations("take_over", OperationOutcome.Absent), Is.EqualTo(1));
    }

    [Test]
    public async Task Handlers_are_told_of_its_end_and_not_that_it_begins([Values] RedisSessionMode mode)
    {
        var events = new RecordedEvents();
        string user = Guid.NewGuid().ToString();
        await using var app = await StartAsync(mode, addMore: services => services.AddSingleton<ISessionLifecycle>(events));
        using var browser = await LeaveAsync();
        string id = await browser.At(app).BeginAsAsync(user, "new");
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        Assert.That(await events.WaitForAsync(1), Is.EqualTo([new SessionEnded(id, user, SessionEndReason.Abandoned)]));
    }
}
