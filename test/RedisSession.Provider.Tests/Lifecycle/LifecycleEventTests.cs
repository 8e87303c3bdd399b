using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RedisSession.Provider.Tests;

/// <summary>What requests and the directory do to sessions, as handlers are told it.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class LifecycleEventTests(ServerKind kind)
{
    private static string NewUser() => $"user {Guid.NewGuid()}";

    [Test]
    public async Task A_session_is_created_renewed_and_abandoned([Values] RedisSessionMode mode)
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(services => services.AddSingleton<ISessionLifecycle>(events), mode);
        using var browser = app.NewBrowser();
        string user = NewUser();
        string oldId = await NewSessionAsync(browser);
        await browser.VisitAsync(session => session.SetString("more", "1"));
        string id = await RenewAsync(browser, user);
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        await browser.VisitAsync(context => context.AbandonSessionAsync()); // there is none any more

        object[] expected =
        [
            new SessionCreated(oldId, null),
            new SessionRenewed(id, oldId, user),
            new SessionEnded(id, user, SessionEndReason.Abandoned),
        ];
        await app.StopAsync();
        Assert.That(events.All, Is.EqualTo(expected));
    }

    [Test]
    public async Task The_user_who_is_signed_in_is_known_at_the_creation([Values] RedisSessionMode mode, [Values] bool awaits)
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(services => services.AddSingleton<ISessionLifecycle>(events), mode);
        using var browser = app.NewBrowser();
        string user = NewUser();
        string id = await browser.VisitAsync(async context =>
        {
            context.SignIn(user);
            if (awaits) await context.Session.IncrementAsync("visits");
            else context.Session.SetString("key", "value");
            return context.Session.Id;
        });
        Assert.That(await events.WaitForAsync(1), Is.EqualTo([new SessionCreated(id, user)]));
    }

    [Test]
    public async Task A_session_that_begins_with_the_sign_in_is_created_with_its_user_and_not_renewed([Values] RedisSessionMode mode)
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(services => services.AddSingleton<ISessionLifecycle>(events), mode);
        using var browser = app.NewBrowser();
        string user = NewUser();
        string id = await RenewAsync(browser, user);
        await app.StopAsync();
        Assert.That(events.All, Is.EqualTo([new SessionCreated(id, user)]));
    }

    [Test]
    public async Task A_session_that_is_renewed_when_it_is_gone_is_a_new_one([Values] RedisSessionMode mode)
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(services => services.AddSingleton<ISessionLifecycle>(events), mode);
        using var browser = app.NewBrowser();
        string oldId = await NewSessionAsync(browser);
        await app.Services.GetRequiredService<IRedisSessionDirectory>().EndAsync(oldId);
        string id = await RenewAsync(browser, null);
        await app.StopAsync();
        Assert.That(events.All.Skip(1), Is.EqualTo(new object[]
        {
            new SessionEnded(oldId, null, SessionEndReason.EndedByDirectory), new SessionCreated(id, null),
        }));
    }

    [Test]
    public async Task Sessions_that_the_directory_ends_are_told_and_counted()
    {
        var events = new RecordedEvents();
        await using var app = await StartAsync(services => services.AddSingleton<ISessionLifecycle>(events));
        string user = NewUser();
        var ids = new List<string>();
        for (int i = 0; i < 3; i++)
        {
            using var browser = app.NewBrowser();
            ids.Add(await NewSessionAsync(browser, user));
        }

        using var nobody = app.NewBrowser();
        string nobodysId = await NewSessionAsync(nobody);
        var directory = app.Services.GetRequiredService<IRedisSessionDirectory>();
        Assert.That(await directory.EndAllForUserAsync(user, exceptId: ids[0]), Is.EqualTo(2));
        Assert.That(await directory.EndAsync(nobodysId), Is.True);
        Assert.That(await directory.EndAsync(nobodysId), Is.False);

        await app.StopAsync();
        Assert.That(events.All.OfType<SessionEnded>(), Is.EquivalentTo(new SessionEnded[]
        {
            new(ids[1], user, SessionEndReason.EndedByDirectory),
            new(ids[2], user, SessionEndReason.EndedByDirectory),
            new(nobodysId, null, SessionEndReason.EndedByDirectory),
        }));
    }

    [Test]
    public async Task Every_handler_is_told_though_another_throws()
    {
        var (first, last) = (new RecordedEvents(), new RecordedEvents());
        await using var app = await StartAsync(services => services
            .AddSingleton<ISessionLifecycle>(first)
            .AddSingleton<ISessionLifecycle, Throwing>()
            .AddSingleton<ISessionLifecycle>(last));
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser);
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        await app.StopAsync();
        object[] expected = [new SessionCreated(id, null), new SessionEnded(id, null, SessionEndReason.Abandoned)];
        Assert.That(first.All, Is.EqualTo(expected));
        Assert.That(last.All, Is.EqualTo(expected));

        var logged = app.Logs.Of(SessionEvents.HandlerFailed);
        Assert.That(logged, Has.Count.EqualTo(2));
        Assert.That(logged, Has.All.Matches<RecordedLogs.Entry>(entry => entry is { Level: LogLevel.Warning, Error: NotSupportedException }
            && entry.Message.Contains(nameof(Throwing), StringComparison.Ordinal) && entry.Message.Contains(id, StringComparison.Ordinal)));
    }

    [Test]
    public async Task Handlers_that_cannot_be_made_hold_up_nothing()
    {
        await using var app = await StartAsync(services => services.AddTransient<ISessionLifecycle>(_ => throw new NotSupportedException()));
        using var browser = app.NewBrowser();
        await NewSessionAsync(browser);
        await NewSessionAsync(browser);
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
            .AddScoped<ISessionLifecycle, InScope>()
            .AddTransient<ISessionLifecycle, InScope>());
        using var browser = app.NewBrowser();
        await NewSessionAsync(browser);
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        await app.StopAsync();
        Assert.That(scopes.Select(scope => scope.Told), Is.EqualTo([2, 2]), "two handlers share the scope of an event");
        Assert.That(scopes, Has.All.Property(nameof(Scoped.IsDisposed)).True);
    }

    [Test]
    public async Task No_request_waits_for_a_handler_and_none_is_left_untold_when_the_application_stops()
    {
        var slow = new Waiting();
        await using var app = await StartAsync(services => services.AddSingleton<ISessionLifecycle>(slow));
        for (int i = 0; i < 5; i++)
        {
            using var browser = app.NewBrowser();
            await NewSessionAsync(browser);
        }

        var stopping = app.StopAsync();
        Assert.That(await Task.WhenAny(stopping, Task.Delay(500)), Is.Not.SameAs(stopping));
        Assert.That(slow.Told, Is.Zero);
        slow.Gate.SetResult();
        await stopping;
        Assert.That(slow.Told, Is.EqualTo(5));
        Assert.That(app.Logs.Of(SessionEvents.EventsNotTold), Is.Empty);
    }

    [Test]
    public async Task A_handler_that_hangs_does_not_keep_the_application_from_stopping()
    {
        var slow = new Waiting();
        await using var app = await StartAsync(services => services.AddSingleton<ISessionLifecycle>(slow));
        for (int i = 0; i < 3; i++)
        {
            using var browser = app.NewBrowser();
            await NewSessionAsync(browser);
        }

        await Until.TrueAsync("a handler runs", () => Task.FromResult(slow.IsRunning));
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
        await using var app = await StartAsync(
            services => services.AddSingleton<ISessionLifecycle>(new Asking(() => seen.TrySetResult(context.Value))));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(async http =>
        {
            context.Value = "of the request";
            await http.Session.SetAsync("a", [1]);
        });
        Assert.That(await seen.Task.WaitAsync(TimeSpan.FromSeconds(10)), Is.Null);
    }

    private Task<TestApp> StartAsync(Action<IServiceCollection> add, RedisSessionMode mode = RedisSessionMode.Buffered) =>
        StartAsync(kind, add, mode);

    private static async Task<TestApp> StartAsync(ServerKind kind, Action<IServiceCollection> add, RedisSessionMode mode)
    {
        var server = await TestServers.GetAsync(kind);
        return await TestApp.StartAsync(services =>
        {
            add(services);
            services.AddRedisHashSession(options =>
                (options.Configuration, options.KeyPrefix, options.Mode) = (server.ConfigurationString, SessionStack.NewKeyPrefix(), mode));
        });
    }

    private static Task<string> NewSessionAsync(Browser browser, string? user = null) => browser.VisitAsAsync(user, session =>
    {
        session.SetString("key", "value");
        return session.Id;
    });

    private static Task<string> RenewAsync(Browser browser, string? user) => browser.VisitAsync(async context =>
    {
        await context.RenewSessionAsync(user);
        return context.Session.Id;
    });

    private sealed class Throwing : ISessionLifecycle
    {
        public Task CreatedAsync(SessionCreated created, CancellationToken cancellationToken) => throw new NotSupportedException();

        public async Task EndedAsync(SessionEnded ended, CancellationToken cancellationToken)
        {
            await Task.Yield();
            throw new NotSupportedException();
        }
    }

    private sealed class Scoped : IDisposable
    {
        public int Told { get; set; }

        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class InScope(Scoped scope) : ISessionLifecycle
    {
        public Task CreatedAsync(SessionCreated created, CancellationToken cancellationToken) => TellAsync();

        public Task EndedAsync(SessionEnded ended, CancellationToken cancellationToken) => TellAsync();

        private async Task TellAsync()
        {
            await Task.Yield();
            ObjectDisposedException.ThrowIf(scope.IsDisposed, scope);
            scope.Told++;
        }
    }

    private sealed class Waiting : ISessionLifecycle
    {
        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Told { get; private set; }

        public bool IsRunning { get; private set; }

        public bool IsCancelled { get; private set; }

        public async Task CreatedAsync(SessionCreated created, CancellationToken cancellationToken)
        {
            IsRunning = true;
            using var cancelled = cancellationToken.Register(() => IsCancelled = true);
            await Gate.Task;
            Told++;
        }
    }

    private sealed class Asking(Action ask) : ISessionLifecycle
    {
        public Task CreatedAsync(SessionCreated created, CancellationToken cancellationToken)
        {
            ask();
            return Task.CompletedTask;
        }
    }
}
