using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A request that goes through its pipeline once more, with the cookie that it came with: for an error page, a status code page, or because
/// the application sends it there.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
[Parallelizable]
internal sealed class SecondPassTests(ServerKind kind, Pipeline pipeline)
{
    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private readonly Dictionary<(RedisSessionMode, FailureMode), TestApp> _apps = [];
    private SharedServer _server = null!;

    [OneTimeSetUp]
    public async Task StartApps()
    {
        _server = await TestServers.GetAsync(kind);
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            foreach (var failureMode in Enum.GetValues<FailureMode>())
            {
                _apps[(mode, failureMode)] = await TestApp.StartAsync(
                    _server.ConfigurationString,
                    options => (options.KeyPrefix, options.Mode, options.FailureMode) = (_keyPrefix, mode, failureMode),
                    app => Use(app, pipeline));
            }
        }
    }

    [OneTimeTearDown]
    public async Task StopApps()
    {
        foreach (var app in _apps.Values) await app.DisposeAsync();
    }

    [Test]
    public async Task An_error_page_goes_on_with_the_renewed_session([Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        using var browser = _apps[(mode, failureMode)].NewBrowser();
        string old = await NewSessionAsync(browser);
        using var thief = browser.Twin();
        await ErrorPageAsync(browser, async context =>
        {
            await context.RenewSessionAsync("ann");
            context.Session.SetString("more", "2");
            throw new InvalidDataException("the handler fails");
        });
        Assert.That(
            await browser.VisitAsync(session => string.Join(' ', session.Keys.Order().Select(key => $"{key}={session.GetString(key)}"))),
            Is.EqualTo("key=1 more=2 page=key more"));
        Assert.That(await thief.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
        Assert.That(await Redis.HashGetAsync(KeyOf(old), "@user"), Is.EqualTo(RedisValue.Null));
    }

    [Test]
    public async Task An_error_page_has_no_session_where_it_was_abandoned([Values] RedisSessionMode mode)
    {
        using var browser = _apps[(mode, FailureMode.LogAndContinue)].NewBrowser();
        string old = await NewSessionAsync(browser);
        using var thief = browser.Twin();
        string page = await ErrorPageAsync(browser, async context =>
        {
            await context.AbandonSessionAsync();
            throw new InvalidDataException("the handler fails");
        });
        Assert.That(page, Is.EqualTo("found: "));
        Assert.That(browser.SessionCookie, Is.Null);
        Assert.That(await thief.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
        Assert.That(await Redis.HashExistsAsync(KeyOf(old), "page"), Is.False);
    }

    [Test]
    public async Task An_error_page_goes_on_with_a_new_session([Values] RedisSessionMode mode)
    {
        using var browser = _apps[(mode, FailureMode.Throw)].NewBrowser();
        string page = await ErrorPageAsync(browser, context =>
        {
            context.Session.SetString("key", "1");
            throw new InvalidDataException("the handler fails");
        });
        Assert.That(page, Is.EqualTo("found: key"));
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["key", "page"]));
    }

    [Test]
    public async Task A_request_that_is_sent_through_the_pipeline_again_goes_on_with_its_session(
        [Values] RedisSessionMode mode, [Values("/status", "/again", "/twice")] string path)
    {
        using var browser = _apps[(mode, FailureMode.Throw)].NewBrowser();
        await NewSessionAsync(browser);
        using var thief = browser.Twin();
        string page = await ErrorPageAsync(
            browser,
            async context =>
            {
                await context.RenewSessionAsync();
                context.Session.SetString("more", "2");
                context.Response.StatusCode = StatusCodes.Status404NotFound;
            },
            path);
        Assert.That(page, Is.EqualTo("found: key more"));
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["key", "more", "page"]));
        Assert.That(await thief.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
    }

    [Test]
    public async Task A_write_that_fails_before_a_body_gets_an_error_page_and_is_logged_once([Values] RedisSessionMode mode)
    {
        await using var app = await TestApp.StartAsync(
            _server.ConfigurationString,
            options => (options.KeyPrefix, options.Mode, options.FailureMode) = (_keyPrefix, mode, FailureMode.Throw),
            app => Use(app, pipeline));
        using var browser = app.NewBrowser();
        string id = await NewSessionAsync(browser);
        await MakeUnwritableAsync(id);
        using var response = await browser.SendAsync(async context =>
        {
            context.Session.SetString("key", "2");
            await context.Response.WriteAsync("all is well");
        });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.StartWith("failed: RedisServerException"));
        Assert.That(app.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));
        var others = app.Logs.All.Where(entry => entry.Level >= LogLevel.Error && entry.EventId != SessionEvents.WriteFailed);
        Assert.That(others.Single().Error, Is.InstanceOf<RedisServerException>(), "the exception handler's, which got it");
    }

    [Test]
    public async Task A_write_that_fails_without_a_body_gets_an_error_page()
    {
        using var browser = _apps[(RedisSessionMode.Buffered, FailureMode.Throw)].NewBrowser();
        string id = await NewSessionAsync(browser);
        await MakeUnwritableAsync(id);
        using var response = await browser.SendAsync(context =>
        {
            context.Session.SetString("key", "2");
            context.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));

        // SessionMiddleware swallows what its last commit throws, so only the start of the response can, and that is too late for a page.
        string page = await response.Content.ReadAsStringAsync();
        Assert.That(page, pipeline == Pipeline.UseSession ? Is.Empty : Does.StartWith("failed: RedisServerException"));
    }

    private IDatabase Redis => _server.Admin.GetDatabase();

    private string KeyOf(string id) => $"{_keyPrefix}sessions:{id}";

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

    /// <summary>What the second pass, which lists the session's keys, sets one and writes the list, has answered.</summary>
    private static async Task<string> ErrorPageAsync(Browser browser, Func<HttpContext, Task> work, string path = "/")
    {
        using var response = await browser.SendAsync(work, path);
        return await response.Content.ReadAsStringAsync();
    }

    private static void Use(IApplicationBuilder app, Pipeline pipeline)
    {
        app.UseExceptionHandler("/page");
        app.UseWhen(context => context.Request.Path == "/status", app => app.UseStatusCodePagesWithReExecute("/page"));
        app.Use(next => async context =>
        {
            bool isAgain = context.Request.Path == "/again";
            await next(context);
            if (!isAgain) return;
            context.Request.Path = "/page";
            context.Response.StatusCode = StatusCodes.Status200OK;
            await next(context);
        });
        app.Use(pipeline);
        app.UseWhen(
            context => context.Request.Path == "/twice",
            app => app.Use(next => async context =>
            {
                await context.RenewSessionAsync();
                await next(context);
            }).Use(pipeline).Use(next => async context =>
            {
                await next(context);
                await PageAsync(context);
            }));
        app.Use(next => context => context.Request.Path == "/page" ? PageAsync(context) : next(context));
    }

    private static async Task PageAsync(HttpContext context)
    {
        if (context.Features.Get<IExceptionHandlerFeature>()?.Error is { } error and not InvalidDataException)
        {
            await context.Response.WriteAsync($"failed: {error.GetType().Name}");
            return;
        }

        string found = string.Join(' ', context.Session.Keys.Order());
        context.Session.SetString("page", found);
        await context.Response.WriteAsync($"found: {found}");
    }
}
