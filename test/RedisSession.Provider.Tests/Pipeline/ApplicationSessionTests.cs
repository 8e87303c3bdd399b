using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Sessions that are not simply those of the request that is served: the application has made them itself, or put them aside; they outlive
/// their request, or belong to one that was made inside of another.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
[Parallelizable]
internal sealed class ApplicationSessionTests(ServerKind kind, Pipeline pipeline)
{
    private const string UserHeader = "X-User";

    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private SharedServer _server = null!;

    [OneTimeSetUp]
    public async Task FindServer() => _server = await TestServers.GetAsync(kind);

    [Test]
    public async Task What_the_application_commits_itself_tells_it_the_truth([Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        await using var app = await StartAsync(mode, failureMode, _ => { });
        using var browser = app.NewBrowser();
        await browser.VisitAsync(async context =>
        {
            var session = Create(context.RequestServices, out _);
            await MakeUnwritableAsync(session.Id);
            session.SetString("key", "1");
            Assert.That(async () => await session.CommitAsync(), Throws.InstanceOf<RedisServerException>());
            Assert.That(async () => await session.CommitAsync(), Throws.InstanceOf<RedisServerException>(), "again");
            await Redis.KeyDeleteAsync(KeyOf(session.Id));
            await session.CommitAsync();
            Assert.That(await Redis.HashExistsAsync(KeyOf(session.Id), "key"), Is.True);
        });
        Assert.That(app.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_request_inside_of_another_is_told_the_truth_and_each_failure_is_logged_once(
        [Values] RedisSessionMode mode, [Values] FailureMode failureMode, [Values] bool commits)
    {
        await using var app = await StartAsync(mode, failureMode, app => app.Use(RunInside).Use(pipeline));
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser);
        int before = app.Logs.All.Count(entry => entry.Level >= LogLevel.Error);
        await MakeUnwritableAsync(id);
        using var response = await browser.SendAsync(async context =>
        {
            context.Session.SetString("key", "2");
            if (commits) Assert.That(async () => await context.Session.CommitAsync(), Throws.InstanceOf<RedisServerException>());
        }, "/inside");
        var errors = app.Logs.All.Where(entry => entry.Level >= LogLevel.Error).Skip(before).ToArray();
        Assert.That(errors.Count(entry => entry.EventId == SessionEvents.WriteFailed && entry.Category.StartsWith("RedisSession", StringComparison.Ordinal)), Is.EqualTo(1));

        // SessionMiddleware, whose request nobody knows, logs what its own commit gets.
        Assert.That(errors, Has.Length.LessThanOrEqualTo(pipeline == Pipeline.UseSession ? 2 : 1 + (failureMode == FailureMode.Throw && !commits ? 1 : 0)));

        static RequestDelegate RunInside(RequestDelegate next) => async context =>
        {
            if (context.Request.Path != "/inside")
            {
                await next(context);
                return;
            }

            var inside = new DefaultHttpContext { RequestServices = context.RequestServices };
            foreach (var (name, value) in context.Request.Headers) inside.Request.Headers[name] = value;
            inside.Response.Body = new MemoryStream();
            await next(inside);
        };
    }

    [Test]
    public async Task A_pipeline_with_services_of_its_own_keeps_its_promises_or_says_that_it_cannot([Values] RedisSessionMode mode)
    {
        using var logs = new RecordedLogs();
        var services = new ServiceCollection().AddLogging(logging => logging.AddProvider(logs));
        services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());
        services.AddRedisHashSession(options =>
        {
            // There is no such database: what is written cannot even be sent.
            options.Configuration = $"redis://{_server.ConfigurationString}/99";
            (options.KeyPrefix, options.Mode, options.FailureMode) = (_keyPrefix, mode, FailureMode.Throw);
        });
        await using var own = services.BuildServiceProvider();
        await using var app = await StartAsync(mode, FailureMode.Throw, app =>
        {
            app.UseWhen(_ => true, branch =>
            {
                branch.ApplicationServices = own;
                branch.Use(pipeline);
            });
        });
        using var browser = app.NewBrowser();
        for (int i = 0; i < 2; i++)
        {
            using var response = await browser.SendAsync(context =>
            {
                context.Session.SetString("key", "1");
                return context.Response.WriteAsync("all is well");
            });
            if (pipeline != Pipeline.UseSession) Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
        }

        Assert.That(logs.Of(SessionEvents.RequestUnknown), Has.Count.EqualTo(pipeline == Pipeline.UseSession ? 1 : 0));
    }

    [Test]
    public async Task A_job_that_outlives_its_request_has_no_request([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode, FailureMode.LogAndContinue, app => app.Use(pipeline));
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
                var made = Create(services, out _);
                made.SetString("key", "1");
                await made.CommitAsync();
                kept.SetString("late", "1");
                await kept.CommitAsync();
                return (made.Id, kept.Id);
            });
            return Task.CompletedTask;
        });

        // The connection, and with it the context, serves another visitor by now.
        await VisitAsync("bob", async _ =>
        {
            mayRun.SetResult();
            await job;
        });
        var (made, kept) = await job;
        Assert.That(await Redis.HashExistsAsync(KeyOf(made), "key"), Is.True);
        Assert.That(await Redis.HashExistsAsync(KeyOf(kept), "late"), Is.True);
        Assert.That(await Redis.HashGetAsync(KeyOf(made), "@user"), Is.EqualTo(RedisValue.Null));
        Assert.That(await Redis.HashGetAsync(KeyOf(kept), "@user"), Is.Not.EqualTo((RedisValue)"bob"));

        async Task VisitAsync(string user, Func<HttpContext, Task> work)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, app.Address) { Headers = { { UserHeader, user } } };
            var (response, thrown) = await app.SendAsync(client, request, work);
            Assert.That((response.StatusCode, thrown), Is.EqualTo((HttpStatusCode.OK, (Exception?)null)));
        }
    }

    [Test]
    public async Task Of_a_session_that_was_put_aside_nothing_is_written([Values] bool hasBody, [Values] bool isReplaced)
    {
        await using var app = await StartAsync(RedisSessionMode.Buffered, FailureMode.Throw, app => app.Use(pipeline));
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser);
        string other = "";
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("key", "2");
            var made = isReplaced ? Create(context.RequestServices, out _) : null;
            made?.SetString("key", "3");
            other = made?.Id ?? "";
            context.Session = made!;
            if (hasBody) await context.Response.WriteAsync("done");
        });
        Assert.That(await Redis.HashGetAsync(KeyOf(id), "key"), Is.EqualTo((RedisValue)"1"));
        if (isReplaced)
            Assert.That(async () => (string?)await Redis.HashGetAsync(KeyOf(other), "key"), Is.EqualTo("3").After(5_000, 10));
    }

    [Test]
    public async Task A_session_that_was_put_aside_is_not_refreshed([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode, FailureMode.Throw, app => app.Use(pipeline));
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser);
        await Redis.KeyExpireAsync(KeyOf(id), TimeSpan.FromSeconds(100));
        await browser.VisitAsync(context =>
        {
            context.Session = null!;
            return Task.CompletedTask;
        });
        Assert.That(await Redis.KeyTimeToLiveAsync(KeyOf(id)), Is.LessThanOrEqualTo(TimeSpan.FromSeconds(100)));
    }

    [Test]
    public async Task What_could_not_be_encrypted_stays_collected([Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        var keys = new BreakableKeys();
        await using var app = await TestApp.StartAsync(
            services =>
            {
                services.AddSingleton<IDataProtectionProvider>(keys);
                services.AddRedisHashSession(options =>
                {
                    (options.Configuration, options.KeyPrefix) = (_server.ConfigurationString, _keyPrefix);
                    (options.Mode, options.FailureMode, options.ProtectValues) = (mode, failureMode, true);
                });
            },
            app => app.Use(pipeline));
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser);
        await browser.VisitAsync(async context =>
        {
            keys.AreBroken = true;
            context.Session.SetString("key", "2");
            Assert.That(async () => await context.Session.CommitAsync(), Throws.InvalidOperationException);
            Assert.That(async () => await context.Session.CommitAsync(), Throws.InvalidOperationException, "again");
            keys.AreBroken = false;
            await context.Session.CommitAsync();
        });
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("2"));
    }

    private IDatabase Redis => _server.Admin.GetDatabase();

    private string KeyOf(string id) => $"{_keyPrefix}sessions:{id}";

    private Task<TestApp> StartAsync(RedisSessionMode mode, FailureMode failureMode, Action<IApplicationBuilder> use) => TestApp.StartAsync(
        _server.ConfigurationString,
        options =>
        {
            (options.KeyPrefix, options.Mode, options.FailureMode) = (_keyPrefix, mode, failureMode);
            options.RefreshInterval = TimeSpan.Zero;
            options.UserIdentifier = context => context.Request.Headers[UserHeader];
        },
        use);

    /// <summary>A session of the application's own, as from a key in a header.</summary>
    private static ISession Create(IServiceProvider services, out string key) => services.GetRequiredService<ISessionStore>()
        .Create(key = Guid.NewGuid().ToString(), TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(10), () => true, isNewSessionKey: false);

    private async Task MakeUnwritableAsync(string id)
    {
        await Redis.KeyDeleteAsync(KeyOf(id));
        await Redis.StringSetAsync(KeyOf(id), "no hash", TimeSpan.FromMinutes(5));
    }

    private static Task<string> NewSessionAsync(Browser browser) => browser.VisitAsync(session =>
    {
        session.SetString("key", "1");
        return session.Id;
    });

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
