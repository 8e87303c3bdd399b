using Microsoft.Extensions.Time.Testing;

namespace RedisSession.Provider.Tests;

/// <summary>What requests and the directory do to sessions, as handlers are told it.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class LifecycleEventTests(ServerKind kind)
{
    private readonly RecordedEvents _events = new();

    [Test]
    public async Task A_session_is_created_renewed_and_abandoned([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(_events, mode);
        using var browser = await app.NewVisitorAsync();
        string oldId = browser.SessionId;
        await browser.VisitAsync(session => session.SetString("more", "1"));
        string id = await browser.RenewAsync("ann");
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        await browser.VisitAsync(context => context.AbandonSessionAsync()); // there is none any more
        await app.StopAsync();
        Assert.That(_events.All, Is.EqualTo(new object[]
        {
            new SessionCreated(oldId, null), new SessionRenewed(id, oldId, "ann"), new SessionEnded(id, "ann", SessionEndReason.Abandoned),
        }));
    }

    [Test]
    public async Task The_user_who_is_signed_in_is_known_at_the_creation([Values] RedisSessionMode mode, [Values] bool awaits)
    {
        await using var app = await StartAsync(_events, mode);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(async context =>
        {
            context.SignIn("ann");
            if (awaits) await context.Session.IncrementAsync("visits");
            else context.Session.SetString("key", "value");
        });
        Assert.That(await _events.WaitForAsync(1), Is.EqualTo([new SessionCreated(browser.SessionId, "ann")]));
    }

    [Test]
    public async Task A_session_that_begins_with_the_sign_in_is_created_with_its_user_and_not_renewed([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(_events, mode);
        using var browser = app.NewBrowser();
        string id = await browser.RenewAsync("ann");
        await app.StopAsync();
        Assert.That(_events.All, Is.EqualTo([new SessionCreated(id, "ann")]));
    }

    [Test]
    public async Task A_session_that_is_renewed_and_abandoned_in_one_request_ends_under_the_key_that_handlers_know(
        [Values] RedisSessionMode mode, [Values] bool isThere)
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(events, mode);
        using var browser = app.NewBrowser();
        string id = await browser.NewSessionAsync("bob");
        if (!isThere) await app.Directory.EndAsync(id);
        await browser.VisitAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            context.Session.SetString("more", "1");
            await context.AbandonSessionAsync();
        });
        await app.StopAsync();
        var reason = isThere ? SessionEndReason.Abandoned : SessionEndReason.EndedByDirectory;
        object[] expected = [new SessionCreated(id, "bob"), new SessionEnded(id, "bob", reason)];
        Assert.That(events.All, Is.EqualTo(expected));
        Assert.That(app.Logs.Of(SessionEvents.SessionAbandoned).Single().Message, Does.Contain(id));
    }

    [Test]
    public async Task A_session_that_is_renewed_when_it_is_gone_is_a_new_one([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(_events, mode);
        using var browser = await app.NewVisitorAsync();
        string oldId = browser.SessionId;
        await app.Directory.EndAsync(oldId);
        string id = await browser.RenewAsync();
        await app.StopAsync();
        Assert.That(_events.All.Skip(1), Is.EqualTo(new object[]
        {
            new SessionEnded(oldId, null, SessionEndReason.EndedByDirectory), new SessionCreated(id, null),
        }));
    }

    [Test]
    public async Task Sessions_that_the_directory_ends_are_told_and_counted()
    {
        await using var app = await StartAsync(_events);
        string[] ids = new string[4];
        for (int i = 0; i < ids.Length; i++)
        {
            using var browser = await app.NewVisitorAsync(i < 3 ? "ann" : null);
            ids[i] = browser.SessionId;
        }

        Assert.That(await app.Directory.EndAllForUserAsync("ann", exceptId: ids[0]), Is.EqualTo(2));
        Assert.That(await app.Directory.EndAsync(ids[3]), Is.True);
        Assert.That(await app.Directory.EndAsync(ids[3]), Is.False);

        await app.StopAsync();
        var expected = ids[1..].Select((id, i) => new SessionEnded(id, i < 2 ? "ann" : null, SessionEndReason.EndedByDirectory));
        Assert.That(_events.All.OfType<SessionEnded>(), Is.EquivalentTo(expected));
    }

    [Test]
    public async Task Every_handler_is_told_though_another_throws()
    {
        var last = new RecordedEvents();
        await using var app = await StartAsync(services => services
            .AddSingleton<ISessionLifecycle>(_events)
            .AddSingleton<ISessionLifecycle>(new Calling(() => throw new NotSupportedException()))
            .AddSingleton<ISessionLifecycle>(last));
        using var browser = await app.NewVisitorAsync();
        string id = browser.SessionId;
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        await app.StopAsync();
        foreach (var told in new[] { _events, last })
            Assert.That(told.All, Is.EqualTo(new object[] { new SessionCreated(id, null), new SessionEnded(id, null, SessionEndReason.Abandoned) }));

        var logged = app.Logs.Of(SessionEvents.HandlerFailed);
        Assert.That(logged, Has.Count.EqualTo(2));
        Assert.That(logged, Has.All.Matches<RecordedLogs.Entry>(entry => entry is { Level: LogLevel.Warning, Error: NotSupportedException }
            && entry.Message.Contains(nameof(Calling), StringComparison.Ordinal) && entry.Message.Contains(id, StringComparison.Ordinal)));
    }

    [Test]
    public async Task Handlers_that_cannot_be_made_hold_up_nothing()
    {
        await using var app = await StartAsync(services => services.AddTransient<ISessionLifecycle>(_ => throw new NotSupportedException()));
        using var browser = await app.NewVisitorAsync();
        await browser.NewSessionAsync();
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        await app.StopAsync();
        Assert.That(app.Logs.Of(SessionEvents.HandlerFailed), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Each_event_has_a_scope_of_its_own_that_is_left_when_it_is_told()
    {
        var scopes = new List<Scoped>();
        await using var app = await StartAsync(services => services
            .AddScoped(_ =>
            {
                var scope = new Scoped();
                lock (scopes) scopes.Add(scope);
                return scope;
            })
            .AddScoped<ISessionLifecycle>(scope => new Calling(scope.GetRequiredService<Scoped>().Tell))
            .AddTransient<ISessionLifecycle>(scope => new Calling(scope.GetRequiredService<Scoped>().Tell)));
        using var browser = await app.NewVisitorAsync();
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        await app.StopAsync();
        Assert.That(scopes.Select(scope => scope.Told), Is.EqualTo([2, 2]), "two handlers share the scope of an event");
        Assert.That(scopes, Has.All.Property(nameof(Scoped.IsDisposed)).True);
    }

    [Test]
    public async Task No_request_waits_for_a_handler_and_none_is_left_untold_when_the_application_stops()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var slow = new RecordedEvents(gate.Task);
        await using var app = await StartAsync(slow);
        for (int i = 0; i < 5; i++) (await app.NewVisitorAsync()).Dispose();
        var stopping = app.StopAsync();
        Assert.That(await Task.WhenAny(stopping, Task.Delay(500)), Is.Not.SameAs(stopping));
        Assert.That(slow.All, Is.Empty);
        gate.SetResult();
        await stopping;
        Assert.That(slow.All, Has.Count.EqualTo(5));
        Assert.That(app.Logs.Of(SessionEvents.EventsNotTold), Is.Empty);
    }

    [Test]
    public async Task A_handler_that_hangs_does_not_keep_the_application_from_stopping()
    {
        var slow = new RecordedEvents(new TaskCompletionSource().Task);
        await using var app = await StartAsync(slow);
        for (int i = 0; i < 3; i++) (await app.NewVisitorAsync()).Dispose();
        await Until.TrueAsync("a handler runs", () => slow.IsBeingTold);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await app.StopAsync(patience.Token);
        Assert.That(slow.IsCancelled, Is.True);
        Assert.That(app.Logs.Of(SessionEvents.EventsNotTold).Single().Message, Does.Contain("before 2 events"));
    }

    [Test]
    public async Task Handlers_have_nothing_of_the_request_that_happened_to_be_the_first()
    {
        var context = new AsyncLocal<string?>();
        var seen = new TaskCompletionSource<string?>();
        await using var app = await StartAsync(new Calling(() => seen.TrySetResult(context.Value)));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(async http =>
        {
            context.Value = "of the request";
            await http.Session.SetAsync("a", [1]);
        });
        Assert.That(await seen.Task.WaitAsync(TimeSpan.FromSeconds(10)), Is.Null);
    }

    /// <summary>Servers that do not report expiries: as most are set up, and Garnet, which cannot.</summary>
    [Test]
    public async Task One_warning_says_which_setting_is_missing_where_and_everything_else_works()
    {
        var server = await TestServers.GetAsync(kind);
        var time = new FakeTimeProvider();
        await using var app = await StartAsync(services => services.AddSingleton<TimeProvider>(time).AddSingleton<ISessionLifecycle>(_events));
        using var browser = await app.NewVisitorAsync("ann");
        object[] expected = [new SessionCreated(browser.SessionId, "ann"), new SessionEnded(browser.SessionId, "ann", SessionEndReason.Abandoned)];
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        Assert.That(await _events.WaitForAsync(2), Is.EqualTo(expected));

        await Until.TrueAsync("it is logged", () => app.Logs.Of(SessionEvents.ExpiriesUnheard).Count > 0);
        for (int i = 0; i < 3; i++)
        {
            time.Advance(ExpiryListener.Beat);
            await Task.Delay(100);
        }

        var warning = app.Logs.All.Single(entry =>
            entry.Category.StartsWith("RedisSession.Provider", StringComparison.Ordinal) && entry.Level >= LogLevel.Warning);
        Assert.That(warning, Has.Property("EventId").EqualTo(SessionEvents.ExpiriesUnheard).And.Property("Level").EqualTo(LogLevel.Warning));
        Assert.That(
            warning.Message,
            Does.Contain("notify-keyspace-events").And.Contain("\"Ex\"").And.Contain(server.ConfigurationString.Split(',')[0]));
        Assert.That(ListeningApp.ListenerOf(app).Listens, Is.False);
    }

    private Task<TestApp> StartAsync(ISessionLifecycle handler, RedisSessionMode mode = RedisSessionMode.Buffered) =>
        StartAsync(services => services.AddSingleton(handler), mode);

    private Task<TestApp> StartAsync(Action<IServiceCollection> add, RedisSessionMode mode = RedisSessionMode.Buffered) =>
        new OurStack(kind).StartAsync(options => options.Mode = mode, add);

    private sealed class Scoped : IDisposable
    {
        public int Told { get; private set; }

        public bool IsDisposed { get; private set; }

        public void Tell()
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            Told++;
        }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class Calling(Action call) : ISessionLifecycle
    {
        public Task CreatedAsync(SessionCreated created, CancellationToken cancellationToken)
        {
            call();
            return Task.CompletedTask;
        }

        public async Task EndedAsync(SessionEnded ended, CancellationToken cancellationToken)
        {
            await Task.Yield();
            call();
        }
    }
}
