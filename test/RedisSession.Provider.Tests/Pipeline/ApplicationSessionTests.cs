using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Session;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Sessions that are not simply those of the request that is served: the application has made them itself, or put them aside; they outlive
/// their request, or belong to one that was made inside of another.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class ApplicationSessionTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    private const string UserHeader = "X-User";

    protected override void Configure(RedisHashSessionOptions options)
    {
        (options.FailureMode, options.RefreshInterval) = (FailureMode.Throw, TimeSpan.Zero);
        options.UserIdentifier = context => context.Request.Headers[UserHeader];
    }

    /// <summary>A request to <c>/inside</c> is made once more, as another, inside of itself.</summary>
    protected override void Use(IApplicationBuilder app) => base.Use(app.Use(next => async context =>
    {
        var inside = new DefaultHttpContext { RequestServices = context.RequestServices, Response = { Body = new MemoryStream() } };
        foreach (var (name, value) in context.Request.Headers) inside.Request.Headers[name] = value;
        await next(context.Request.Path == "/inside" ? inside : context);
    }));

    [Test]
    public async Task What_the_application_commits_itself_tells_it_the_truth([Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        await using var app = await Stack.StartAsync(options => (options.Mode, options.FailureMode) = (mode, failureMode), use: _ => { });
        using var browser = app.NewBrowser();
        await browser.VisitAsync(async context =>
        {
            var session = Create(context.RequestServices);
            await Stack.MakeUnwritableAsync(session.Id);
            session.SetString("key", "1");
            Assert.That(async () => await session.CommitAsync(), Throws.InstanceOf<RedisServerException>());
            Assert.That(async () => await session.CommitAsync(), Throws.InstanceOf<RedisServerException>(), "again");
            await Redis.KeyDeleteAsync(Stack.KeyOf(session.Id));
            await session.CommitAsync();
            Assert.That(await Redis.HashExistsAsync(Stack.KeyOf(session.Id), "key"), Is.True);
        });
        Assert.That(app.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_request_inside_of_another_is_told_the_truth_and_each_failure_is_logged_once(
        [Values] RedisSessionMode mode, [Values] FailureMode failureMode, [Values] bool commits)
    {
        await using var app = await StartAsync(mode, options => options.FailureMode = failureMode);
        using var browser = await app.NewVisitorAsync();
        int before = app.Logs.All.Count(entry => entry.Level >= LogLevel.Error);
        await Stack.MakeUnwritableAsync(browser.SessionId);
        using var response = await browser.SendAsync(async context =>
        {
            context.Session.SetString("key", "2");
            if (commits) Assert.That(async () => await context.Session.CommitAsync(), Throws.InstanceOf<RedisServerException>());
        }, "/inside");
        var errors = app.Logs.All.Where(entry => entry.Level >= LogLevel.Error).Skip(before).ToArray();
        Assert.That(app.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));

        // SessionMiddleware, whose request nobody knows, logs what its own commit gets.
        bool isTold = Stack.Pipeline == Pipeline.UseSession || (failureMode == FailureMode.Throw && !commits);
        Assert.That(errors, Has.Length.LessThanOrEqualTo(isTold ? 2 : 1));
    }

    [Test]
    public async Task A_pipeline_with_services_of_its_own_keeps_its_promises_or_says_that_it_cannot([Values] RedisSessionMode mode)
    {
        using var logs = new RecordedLogs();
        var services = new ServiceCollection().AddLogging(logging => logging.AddProvider(logs));
        services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());
        string missing = $"redis://{(await Stack.ServerAsync()).ConfigurationString}/99"; // what is written cannot even be sent
        services.AddRedisHashSession(options => (options.Configuration, options.Mode, options.FailureMode) = (missing, mode, FailureMode.Throw));
        await using var own = services.BuildServiceProvider();
        await using var app = await Stack.StartAsync(use: app => app.UseWhen(_ => true, branch =>
        {
            branch.ApplicationServices = own;
            branch.Use(Stack.Pipeline);
        }));
        using var browser = app.NewBrowser();
        for (int i = 0; i < 2; i++)
        {
            using var response = await browser.SendAsync(context =>
            {
                context.Session.SetString("key", "1");
                return context.Response.WriteAsync("all is well");
            });
            if (Stack.Pipeline != Pipeline.UseSession) Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
        }

        Assert.That(logs.Of(SessionEvents.RequestUnknown), Has.Count.EqualTo(Stack.Pipeline == Pipeline.UseSession ? 1 : 0));
    }

    [Test]
    public async Task A_job_that_outlives_its_request_has_no_request([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode, options => options.FailureMode = FailureMode.LogAndContinue);
        using var client = new HttpClient(new HttpClientHandler { UseCookies = false });
        var mayRun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<(string Made, string Kept)> job = null!;
        await VisitAsync("ann", context =>
        {
            var services = app.Services;
            var kept = context.Session;
            kept.SetString("key", "1");
            job = Task.Run(async () =>
            {
                await mayRun.Task;
                var made = Create(services);
                made.SetString("key", "1");
                await made.CommitAsync();
                kept.SetString("late", "1");
                await kept.CommitAsync();
                return (made.Id, kept.Id);
            });
            return Task.CompletedTask;
        });

        // The connection, and with it the context, serves another visitor by now.
        await VisitAsync("bob", async _ => { mayRun.SetResult(); await job; });
        var (made, kept) = await job;
        Assert.That(await Redis.HashExistsAsync(Stack.KeyOf(made), "key"), Is.True);
        Assert.That(await Redis.HashExistsAsync(Stack.KeyOf(kept), "late"), Is.True);
        Assert.That(await Redis.HashGetAsync(Stack.KeyOf(made), "@user"), Is.EqualTo(RedisValue.Null));
        Assert.That(await Redis.HashGetAsync(Stack.KeyOf(kept), "@user"), Is.Not.EqualTo((RedisValue)"bob"));

        async Task VisitAsync(string user, Func<HttpContext, Task> work)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, app.Address) { Headers = { { UserHeader, user } } };
            var (response, thrown) = await app.SendAsync(client, request, work);
            Assert.That((response.StatusCode, thrown), Is.EqualTo((HttpStatusCode.OK, (Exception?)null)));
        }
    }

    [Test]
    public async Task A_kept_session_can_be_written_and_committed_after_its_request([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        var kept = await KeepAsync(browser);
        kept.SetString("key", "new");
        await kept.CommitAsync();
        await kept.SetAsync("more", "1"u8.ToArray());
        Assert.That(await browser.ContentAsync(), Is.EqualTo("key=new more=1"));
    }

    [Test]
    public async Task A_kept_session_of_a_request_whose_writes_failed_tells_of_that_and_nothing_else([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        var kept = await KeepAsync(browser, fails: true);
        Assert.That(() => kept.SetString("key", "new"), Throws.Nothing);
        Assert.That(async () => await kept.CommitAsync(), Throws.InstanceOf<RedisServerException>().With.Message.Contains("WRONGTYPE"));
    }

    [Test]
    public async Task The_next_request_of_the_connection_does_not_notice_a_kept_session([Values] RedisSessionMode mode, [Values] bool fails)
    {
        using var browser = Apps[mode].NewBrowser();
        var kept = await KeepAsync(browser, fails);
        using var response = await browser.SendAsync(async context =>
        {
            await Task.Run(() => kept.SetString("key", "new"));
            await context.Response.WriteAsync("nothing to do with it");
        });
        Assert.That(response.IsSuccessStatusCode, Is.True);
    }

    [Test]
    public async Task Of_a_session_that_was_put_aside_nothing_is_written([Values] bool hasBody, [Values] bool isReplaced)
    {
        using var browser = await App.NewVisitorAsync();
        string other = "";
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("key", "2");
            var made = isReplaced ? Create(context.RequestServices) : null;
            made?.SetString("key", "3");
            other = made?.Id ?? "";
            context.Session = made!;
            if (hasBody) await context.Response.WriteAsync("done");
        });
        Assert.That(await Redis.HashGetAsync(KeyOf(browser), "key"), Is.EqualTo((RedisValue)"old"));
        if (isReplaced)
            Assert.That(async () => (string?)await Redis.HashGetAsync(Stack.KeyOf(other), "key"), Is.EqualTo("3").After(5_000, 10));
    }

    [Test]
    public async Task A_session_that_was_put_aside_is_not_refreshed([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode);
        await Redis.KeyExpireAsync(KeyOf(browser), TimeSpan.FromSeconds(100));
        using var response = await browser.SendAsync(context => { context.Session = null!; });
        Assert.That(response.IsSuccessStatusCode, Is.True);
        Assert.That(await Redis.KeyTimeToLiveAsync(KeyOf(browser)), Is.LessThanOrEqualTo(TimeSpan.FromSeconds(100)));
    }

    [Test]
    public async Task What_could_not_be_encrypted_stays_collected([Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        var keys = new BreakableKeys();
        await using var app = await Stack.StartAsync(
            options => (options.Mode, options.FailureMode, options.ProtectValues) = (mode, failureMode, true),
            services => services.AddSingleton<IDataProtectionProvider>(keys));
        using var browser = await app.NewVisitorAsync();
        await browser.VisitAsync(async context =>
        {
            keys.AreBroken = true;
            context.Session.SetString("key", "2");
            Assert.That(async () => await context.Session.CommitAsync(), Throws.InvalidOperationException);
            Assert.That(async () => await context.Session.CommitAsync(), Throws.InvalidOperationException, "again");
            keys.AreBroken = false;
            await context.Session.CommitAsync();
        });
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("2"));
    }

    /// <summary>A session of the application's own, as from a key in a header.</summary>
    private static ISession Create(IServiceProvider services) => services.GetRequiredService<ISessionStore>()
        .Create(Guid.NewGuid().ToString(), TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(10), () => true, isNewSessionKey: false);

    /// <summary>The session of a request that is over; the writes of one that <paramref name="fails"/> have failed, and still would.</summary>
    private async Task<ISession> KeepAsync(Browser browser, bool fails = false)
    {
        string id = await browser.SetStringAsync("key", "old");
        if (fails) await Stack.MakeUnwritableAsync(id);
        HttpContext request = null!;
        ISession kept = null!;
        await browser.VisitAsync(async context =>
        {
            (request, kept) = (context, context.Session);
            if (fails) Assert.That(async () => await context.Session.SetAsync("key", [1]), Throws.InstanceOf<RedisServerException>());
            await context.Response.WriteAsync("done");
        });
        Assert.That(() => IsOver(request), Is.True.After(5000, 1));
        return kept;
    }

    private static bool IsOver(HttpContext request)
    {
        try
        {
            return request.Features is null;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    /// <summary>A key ring whose keys for values can be away.</summary>
    private sealed class BreakableKeys : IDataProtectionProvider
    {
        private readonly EphemeralDataProtectionProvider _real = new();

        public bool AreBroken { get; set; }

        public IDataProtector CreateProtector(string purpose) =>
            purpose == nameof(SessionMiddleware) ? _real.CreateProtector(purpose) : new Protector(this, _real.CreateProtector(purpose));

        private sealed class Protector(BreakableKeys keys, IDataProtector real) : IDataProtector
        {
            public IDataProtector CreateProtector(string purpose) => new Protector(keys, real.CreateProtector(purpose));

            public byte[] Protect(byte[] plaintext) =>
                keys.AreBroken ? throw new InvalidOperationException("The keys are away.") : real.Protect(plaintext);

            public byte[] Unprotect(byte[] protectedData) => real.Unprotect(protectedData);
        }
    }
}
