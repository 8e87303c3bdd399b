using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Moq;
using RedisSession.Provider.Dashboard;

namespace RedisSession.Provider.Tests;

/// <summary>How many sessions there were over time: counted seldom, kept in little room, drawn.</summary>
internal sealed class SessionCountsTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 24, 20, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task Sessions_are_counted_at_the_start_and_then_once_in_each_interval()
    {
        var time = new FakeTimeProvider(Start);
        await using var app = await DashboardApp.StartAsync(ServerKind.Garnet, add: Counting(time, TimeSpan.FromMinutes(2)));
        var counts = app.Services.GetRequiredService<SessionCounts>();
        await Until.TrueAsync("they are counted", () => Task.FromResult(counts.All.Count == 1));
        using var browser = await app.NewVisitorAsync(key: "key", value: "1");
        await AdvanceUntilAsync(2);
        Assert.That(counts.All.Select(count => count.Count), Is.EqualTo([0L, 1L]));
        Assert.That(counts.All[1].At - counts.All[0].At, Is.GreaterThanOrEqualTo(TimeSpan.FromMinutes(2)));

        using var @operator = new Operator(app);
        var page = await @operator.GetAsync();
        Assert.That(page.Html, Does.Contain("<polyline points=\"0,100 600,0\"/>"));
        Assert.That(page.Text, Does.Contain("1 session").And.Contain("Highest 1 since 2026-11-24 20:00:00 UTC"));

        // The counter waits in its timer some time after it has counted: until then the clock goes on in small steps.
        Task AdvanceUntilAsync(int count) => Until.TrueAsync("they are counted again", () =>
        {
            if (counts.All.Count < count) time.Advance(TimeSpan.FromSeconds(4)); // less than makes a count old
            return Task.FromResult(counts.All.Count >= count);
        });
    }

    /// <summary>Somebody looks at a list that has outgrown the last count: it is not his wait, and not at every look.</summary>
    [Test]
    public async Task A_count_that_is_asked_for_does_not_wait_for_the_interval_but_for_the_rest()
    {
        var time = new FakeTimeProvider(Start);
        var directory = new Mock<IRedisSessionDirectory>();
        int walks = 0;
        directory.Setup(it => it.CountAsync(It.IsAny<CancellationToken>())).ReturnsAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100)); // the walk
            return ++walks;
        });
        directory.Setup(it => it.ListPageAsync(It.IsAny<int>(), It.IsAny<string?>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync(new SessionPage { Sessions = [new SessionInfo { Id = "a", User = "ann" }] });
        var counts = new SessionCounts();
        var options = Options.Create(new RedisSessionsDashboardOptions { CountInterval = TimeSpan.FromHours(1) });
        using var counter = new SessionCounter(directory.Object, counts, options, time, NullLogger<SessionCounter>.Instance);
        await counter.StartAsync(CancellationToken.None);
        await Until.TrueAsync("it has counted", () => Task.FromResult(counts.Sample is not null));
        Assert.That((counts.Sample!.Count, counts.Sample.SignedIn, counts.Sample.IsAll), Is.EqualTo((1, 1, true)));

        counts.Ask(time.GetUtcNow());
        Assert.That(counts.Asked.IsCompleted, Is.False, "the count is new");
        time.Advance(SessionCounts.Fresh);
        counts.Ask(time.GetUtcNow());
        Assert.That(counts.Asked.IsCompleted, Is.True);
        var before = time.GetUtcNow();
        await Until.TrueAsync("it has counted again", () =>
        {
            if (counts.All.Count < 2) time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(counts.All.Count >= 2);
        });
        Assert.That(time.GetUtcNow() - before, Is.LessThan(TimeSpan.FromMinutes(30)), "not the interval");
        Assert.That(counts.All[1].At - counts.All[0].At, Is.GreaterThanOrEqualTo(99 * TimeSpan.FromMilliseconds(100)), "99 times the walk");
        Assert.That(counts.Asked.IsCompleted, Is.False, "it is asked anew");
        await counter.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task Where_counting_is_switched_off_nothing_is_counted_and_nothing_drawn()
    {
        await using var app = await DashboardApp.StartAsync(ServerKind.Garnet);
        using var @operator = new Operator(app);
        Assert.That((await @operator.GetAsync()).Html, Does.Not.Contain("<polyline"));
        Assert.That(app.Services.GetRequiredService<SessionCounts>().All, Is.Empty);
    }

    [Test]
    public async Task A_count_that_fails_is_logged_once_and_made_up_for()
    {
        var time = new FakeTimeProvider(Start);
        string nobody = $"127.0.0.1:{FreePort.Choose()},connectTimeout=200";
        await using var app = await DashboardApp.StartAsync(
            ServerKind.Garnet, add: Counting(time, TimeSpan.FromSeconds(1)), server: nobody);
        await Until.TrueAsync("it has failed", () => Task.FromResult(app.Logs.Of(DashboardEvents.CountingFailed).Count == 1));
        for (int i = 0; i < 20; i++)
        {
            time.Advance(TimeSpan.FromSeconds(100));
            await Task.Yield();
        }

        using var @operator = new Operator(app);
        var page = await @operator.GetAsync();
        Assert.That(page.Status, Is.EqualTo(System.Net.HttpStatusCode.ServiceUnavailable));
        Assert.That(page.Text, Does.Contain("Redis does not answer"));
        Assert.That(app.Logs.Of(DashboardEvents.RedisFailed), Has.Count.EqualTo(1));
        Assert.That(app.Logs.Of(DashboardEvents.CountingFailed), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_count_that_fails_while_the_application_stops_is_no_failure_of_the_application()
    {
        var asked = new TaskCompletionSource();
        var directory = new Mock<IRedisSessionDirectory>();
        directory.Setup(it => it.CountAsync(It.IsAny<CancellationToken>())).Returns(async (CancellationToken stopping) =>
        {
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new InvalidOperationException("Redis stops at the same time.");
        });
        var options = Options.Create(new RedisSessionsDashboardOptions());
        using var counter = new SessionCounter(
            directory.Object, new SessionCounts(), options, TimeProvider.System, NullLogger<SessionCounter>.Instance);
        await counter.StartAsync(CancellationToken.None);
        await asked.Task;
        await counter.StopAsync(CancellationToken.None);
        Assert.That(counter.ExecuteTask!.Exception, Is.Null);
    }

    [Test]
    public async Task A_page_that_shows_all_sessions_has_counted_them()
    {
        var time = new FakeTimeProvider(Start);
        var server = await TestServers.GetAsync(ServerKind.Garnet);
        string own = $"{server.ConfigurationString},defaultDatabase=9"; // where a page shows all there is
        await using var app = await DashboardApp.StartAsync(
            ServerKind.Garnet, add: services => services.AddSingleton<TimeProvider>(time), server: own);
        var counts = app.Services.GetRequiredService<SessionCounts>();
        using var browser = await app.NewVisitorAsync(key: "key", value: "1");
        using var @operator = new Operator(app);
        await @operator.GetAsync();
        Assert.That(counts.All, Is.Empty, "counting is switched off");

        counts.Add(new(Start, 0));
        time.Advance(TimeSpan.FromSeconds(4));
        await @operator.GetAsync();
        Assert.That(counts.All, Has.Count.EqualTo(1), "who loads the page again and again does not push older counts out");
        time.Advance(TimeSpan.FromSeconds(1));
        await @operator.GetAsync("?q=nobody");
        Assert.That(counts.All, Has.Count.EqualTo(1), "a search does not see all");
        Assert.That((await @operator.GetAsync()).Text, Does.Contain("1 session"));
        Assert.That(counts.All, Is.EqualTo(new SessionCount[] { new(Start, 0), new(Start.AddSeconds(5), 1) }));
    }

    [TestCase(1, 60, ExpectedResult = 99), TestCase(0.1, 60, ExpectedResult = 60), TestCase(30, 60, ExpectedResult = 2970)]
    [TestCase(3600, 60, ExpectedResult = 86400)]
    public double However_long_a_walk_takes_it_is_at_most_one_part_in_a_hundred_of_the_time(double walk, double interval) =>
        SessionCounter.PauseAfter(TimeSpan.FromSeconds(walk), TimeSpan.FromSeconds(interval)).TotalSeconds;

    [Test]
    public void A_month_of_counts_takes_no_more_room_than_four_hours_and_the_first_stays()
    {
        var counts = new SessionCounts();
        for (int minute = 0; minute < 30 * 24 * 60; minute++) counts.Add(new(Start.AddMinutes(minute), minute));
        var all = counts.All;
        Assert.That(all, Has.Count.InRange(SessionCounts.Room / 2, SessionCounts.Room));
        Assert.That((all[0].Count, all[^1].Count), Is.EqualTo((0L, (30L * 24 * 60) - 1)));
        Assert.That(all.Select(count => count.At), Is.Ordered);
    }

    [Test]
    public void An_interval_that_would_never_rest_is_refused_at_the_start([Values(0, -5, 0.5)] double seconds) => Assert.That(
        async () => await DashboardApp.StartAsync(ServerKind.Garnet, add: Counting(TimeProvider.System, TimeSpan.FromSeconds(seconds))),
        Throws.InstanceOf<OptionsValidationException>().With.Message.Contains("CountInterval"));

    private static Action<IServiceCollection> Counting(TimeProvider time, TimeSpan interval) => services => services
        .AddSingleton(time).Configure<RedisSessionsDashboardOptions>(options => options.CountInterval = interval);
}
