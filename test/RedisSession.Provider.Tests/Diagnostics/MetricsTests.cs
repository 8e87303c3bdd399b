using System.Diagnostics.Metrics;

namespace RedisSession.Provider.Tests;

/// <summary>The table of metrics in docs/operating.md, read by OpenTelemetry's SDK out of real requests.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[NonParallelizable]
internal sealed class MetricsTests(ServerKind kind) : BothModesFixture(kind)
{
    private const int Generation = 8; // characters of @gen, which every reply to a read begins with

    [Test]
    public async Task Each_kind_of_operation_is_timed([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        using var metrics = new RecordedMetrics();
        await browser.SetStringAsync("a");
        Assert.That(metrics.Operations("write"), Is.EqualTo(1));

        await browser.VisitAsync(async context =>
        {
            await context.Session.GetStrAsync("a");
            await context.Session.ReadAsync(["a", "b"]);
        });
        Assert.That(metrics.Operations("read"), Is.EqualTo(2));

        await browser.VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            context.Session.GetString("a");
        });
        Assert.That(metrics.Operations("load"), Is.EqualTo(1));

        await browser.VisitAsync(context => context.RenewSessionAsync("ann"));
        Assert.That(metrics.Operations("renew_key"), Is.EqualTo(2), "its two steps");

        await browser.VisitAsync(context => context.AbandonSessionAsync());
        Assert.That(metrics.Operations("abandon"), Is.EqualTo(1));

        var all = metrics.Points(SessionMetrics.OperationDuration);
        Assert.That(all.Sum(point => point.GetHistogramCount()), Is.EqualTo(7), "the renewal binds the user by itself");
        Assert.That(all.Sum(point => point.GetHistogramSum()), Is.GreaterThan(0).And.LessThan(30), "seconds");
        Assert.That(all.Select(point => RecordedMetrics.TagsOf(point).Keys), Has.None.Contains("error.type"));
        Assert.That(metrics.Sum(SessionMetrics.Failures), Is.Zero);
    }

    [Test]
    public async Task Synchronous_reads_are_timed_too([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync(key: "a", value: "1");
        using var metrics = new RecordedMetrics();
        await browser.VisitAsync(session =>
        {
            session.GetString("a");
            session.GetString("b");
        });
        var expected = mode == RedisSessionMode.Live ? (2L, 0L) : (0L, 1L);
        Assert.That((metrics.Operations("read"), metrics.Operations("load")), Is.EqualTo(expected));
    }

    [Test]
    public async Task What_sends_nothing_is_no_operation([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        using var metrics = new RecordedMetrics();
        await browser.VisitAsync(async context =>
        {
            Assert.That(context.Session.GetString("a"), Is.Null); // the session key is new: nothing can be there
            await context.Session.LoadAsync();
            await context.Session.GetStrAsync("a");
        });
        Assert.That(metrics.Points(SessionMetrics.OperationDuration), Is.Empty);
    }

    [Test]
    public async Task Sessions_are_counted_when_created_renewed_and_abandoned([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        using var metrics = new RecordedMetrics();
        await browser.VisitAsync(session =>
        {
            session.SetString("a", "1");
            session.SetString("b", "2");
        });
        await browser.VisitAsync(session => session.SetString("a", "3"));
        Assert.That(metrics.Sum(SessionMetrics.CreatedSessions), Is.EqualTo(1));

        await browser.VisitAsync(context => context.RenewSessionAsync());
        Assert.That(metrics.Sum(SessionMetrics.RenewedSessions), Is.EqualTo(1));

        await browser.VisitAsync(context => context.AbandonSessionAsync());
        Assert.That(metrics.Sum(SessionMetrics.EndedSessions, (TelemetryTags.EndReason, "abandoned")), Is.EqualTo(1));
        Assert.That(metrics.Sum(SessionMetrics.EndedSessions), Is.EqualTo(1));
        Assert.That(metrics.Sum(SessionMetrics.CreatedSessions), Is.EqualTo(1), "a renewed session is not a new one");
    }

    [Test]
    public async Task Sessions_that_the_directory_ends_are_counted_as_that([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync(key: "a", value: "1");
        using var metrics = new RecordedMetrics();
        for (int i = 0; i < 2; i++) await Apps[mode].Directory.EndAsync(browser.SessionId);
        Assert.That(metrics.Sum(SessionMetrics.EndedSessions, (TelemetryTags.EndReason, "ended_by_directory")), Is.EqualTo(1));
        Assert.That(metrics.Sum(SessionMetrics.EndedSessions), Is.EqualTo(1));
    }

    [Test]
    public async Task A_session_that_the_cookie_names_and_that_is_gone_is_absent_and_counted_as_expired([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync(key: "a", value: "1");
        await Redis.KeyDeleteAsync(Stack.KeyOf(browser.SessionId));
        using var metrics = new RecordedMetrics();
        await browser.VisitAsync(async context =>
        {
            await context.Session.GetStrAsync("a");
            await context.Session.LoadAsync();
        });
        Assert.That((metrics.Operations("read", "absent"), metrics.Operations("load", "absent")), Is.EqualTo((1L, 1L)));
        Assert.That(metrics.Sum(SessionMetrics.EndedSessions, (TelemetryTags.EndReason, "expired")), Is.EqualTo(1));

        await browser.VisitAsync(context => context.AbandonSessionAsync());
        Assert.That(metrics.Operations("abandon", "absent"), Is.EqualTo(1));
        Assert.That(metrics.Sum(SessionMetrics.EndedSessions, (TelemetryTags.EndReason, "abandoned")), Is.Zero, "there was nothing to end");
    }

    [Test]
    public async Task A_refused_write_has_ended_and_not_failed([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync(key: "a", value: "1");
        using var metrics = new RecordedMetrics();
        await browser.VisitAsync(async context =>
        {
            await context.Session.GetStrAsync("a");
            await Redis.KeyDeleteAsync(Stack.KeyOf(context.Session.Id));
            context.Session.SetString("late", "1");
        });
        Assert.That(metrics.Operations("write", "ended"), Is.EqualTo(1));
        Assert.That((metrics.Sum(SessionMetrics.RefusedWrites), metrics.Sum(SessionMetrics.Failures)), Is.EqualTo((1L, 0L)));
    }

    [Test]
    public async Task Bytes_are_those_of_what_was_read_and_written([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync(key: "a", value: "1");
        using var metrics = new RecordedMetrics();
        await browser.VisitAsync(session => session.Set("big", new byte[5000]));
        Assert.That(Bytes("write"), Is.InRange(5003, 5003 + 100), "with the expiry and the generations");
        Assert.That(Bytes("read"), Is.Zero);

        await browser.VisitAsync(async context => await context.Session.GetRawAsync("big"));
        Assert.That(Bytes("read"), Is.EqualTo(Generation + 5000));

        await browser.VisitAsync(context => context.Session.LoadAsync());
        int names = "@gen".Length + "@created".Length + "a".Length + "big".Length;
        int values = Generation + "1790000000000".Length + "1".Length + 5000;
        Assert.That(Bytes("read"), Is.EqualTo(Generation + 5000 + names + values));

        long Bytes(string direction) => metrics.Sum(SessionMetrics.Io, (TelemetryTags.Direction, direction));
    }

    [Test]
    public async Task Units_and_buckets_are_those_of_the_conventions()
    {
        using var browser = Apps[RedisSessionMode.Buffered].NewBrowser();
        using var metrics = new RecordedMetrics();
        await browser.SetStringAsync("a");
        await browser.VisitAsync(async context => await context.Session.GetStrAsync("a"));

        var units = metrics.All.ToDictionary(metric => metric.Name, metric => metric.Unit);
        Assert.That(units, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["redis_session.operation.duration"] = "s",
            ["redis_session.io"] = "By",
            ["redis_session.created_sessions"] = "{session}",
        }));
        List<double> bounds = [];
        foreach (var bucket in metrics.Points(SessionMetrics.OperationDuration)[0].GetHistogramBuckets()) bounds.Add(bucket.ExplicitBound);
        double[] advised = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]; // by OpenTelemetry, for db.client.operation.duration
        Assert.That(bounds, Is.SupersetOf(advised).And.Ordered);
        Assert.That(bounds[0], Is.EqualTo(0.0001));
    }

    [Test]
    public void The_meter_is_that_of_the_applications_own_factory()
    {
        var meters = Apps[RedisSessionMode.Buffered].Services.GetRequiredService<IMeterFactory>();
        List<string> ofThisApplication = [];
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Scope == meters) ofThisApplication.Add(instrument.Name);
            },
        };
        listener.Start();
        Assert.That(ofThisApplication, Has.Member(SessionMetrics.RefusedWrites));
    }
}
