using System.Diagnostics.Metrics;

namespace RedisSession.Provider.Tests;

/// <summary>Handlers that are slower than sessions come and go: what waits has a bound and a measure.</summary>
[NonParallelizable] // the meters are those of the process
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class SlowHandlerTests
{
    private const int Limit = 10;

    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Test]
    public async Task What_comes_on_top_of_the_bound_is_dropped_logged_once_and_counted()
    {
        var handler = new RecordedEvents(_gate.Task);
        await using var app = await StartAsync(handler);
        var queue = app.Services.GetRequiredService<LifecycleQueue>();
        using var metrics = new Measured();
        queue.Created("first", null);
        await Until.TrueAsync("it is being told", () => handler.IsBeingTold);
        for (int i = 0; i < Limit + 30; i++) queue.Created($"{i}", null);

        Assert.That(metrics.Read(SessionMetrics.PendingEvents), Is.EqualTo(Limit));
        Assert.That(metrics.Read(SessionMetrics.PendingEventAge), Is.GreaterThan(0));
        Assert.That(metrics.Read(SessionMetrics.DroppedEvents), Is.EqualTo(30));
        Assert.That(app.Logs.Of(SessionEvents.EventsDropped), Has.Count.EqualTo(1), "once a minute");

        _gate.SetResult();
        await app.StopAsync();
        Assert.That(ToldTo(handler), Is.EqualTo((string[])["first", .. Enumerable.Range(0, Limit).Select(i => $"{i}")]), "in their order");
        var logged = app.Logs.Of(SessionEvents.EventsDropped);
        Assert.That(logged, Has.Count.EqualTo(2), "and at the end");
        Assert.That(logged.Select(entry => entry.Level), Is.All.EqualTo(LogLevel.Warning));
        Assert.That(logged.Select(entry => entry.Message[..3].Trim()), Is.EqualTo(["1 e", "29"]));
    }

    [Test]
    public async Task With_room_again_events_are_told_again()
    {
        var handler = new RecordedEvents(_gate.Task);
        await using var app = await StartAsync(handler);
        var queue = app.Services.GetRequiredService<LifecycleQueue>();
        for (int i = 0; i < 3 * Limit; i++) queue.Created($"{i}", null);
        _gate.SetResult();
        using var metrics = new Measured();
        await Until.TrueAsync("nothing waits", () => metrics.Read(SessionMetrics.PendingEvents) == 0);
        queue.Created("last", null);
        await app.StopAsync();
        Assert.That(ToldTo(handler), Has.Some.EqualTo("last"));
        Assert.That(metrics.Read(SessionMetrics.PendingEventAge), Is.Zero);
    }

    /// <summary>Who chooses his name must not write lines into the log.</summary>
    [Test]
    public async Task Names_with_line_breaks_stay_on_one_line_of_the_log()
    {
        await using var app = await StartAsync(new RecordedEvents(gate: Task.FromException(new NotSupportedException())));
        var queue = app.Services.GetRequiredService<LifecycleQueue>();
        queue.Created("id", "ann\r\nwarn: all is well\u2028\u0007");
        await app.StopAsync();
        string message = app.Logs.Of(SessionEvents.HandlerFailed).Single().Message;
        Assert.That(message, Does.Contain(@"ann\u000d\u000awarn: all is well\u2028\u0007"));
        Assert.That(message.Any(char.IsControl), Is.False);
    }

    private static async Task<TestApp> StartAsync(ISessionLifecycle handler)
    {
        var server = await TestServers.GetAsync(ServerKind.Garnet);
        return await ListeningApp.StartAsync(server.ConfigurationString, handler, options =>
            (options.KeyPrefix, options.MaxPendingEvents) = (SessionStack.NewKeyPrefix(), Limit));
    }

    private static IEnumerable<string> ToldTo(RecordedEvents handler) => handler.All.Cast<SessionCreated>().Select(created => created.Id);

    /// <summary>The last measurements of the meter's instruments, and the sums of its counters.</summary>
    private sealed class Measured : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Dictionary<string, double> _values = [];

        public Measured()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == SessionMetrics.MeterName) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => Note(instrument, value));
            _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Note(instrument, value));
            _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Note(instrument, value));
            _listener.Start();
        }

        public double Read(string name)
        {
            lock (_values) _values[SessionMetrics.PendingEvents] = _values[SessionMetrics.PendingEventAge] = 0;
            _listener.RecordObservableInstruments();
            lock (_values) return _values.GetValueOrDefault(name);
        }

        public void Dispose() => _listener.Dispose();

        // Of applications that have ended gauges may be left: nothing waits there.
        private void Note(Instrument instrument, double value)
        {
            lock (_values) _values[instrument.Name] = _values.GetValueOrDefault(instrument.Name) + value;
        }
    }
}
