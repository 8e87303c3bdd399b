using Microsoft.AspNetCore.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A request that goes through its pipeline once more, with the cookie that it came with: for an error page, a status code page, or because
/// the application sends it there.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class SecondPassTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    protected override void Configure(RedisHashSessionOptions options) => options.FailureMode = FailureMode.Throw;

    [Test]
    public async Task An_error_page_goes_on_with_the_renewed_session([Values] RedisSessionMode mode, [Values] FailureMode failureMode)
    {
        await using var app = await StartAsync(mode, options => options.FailureMode = failureMode);
        using var browser = await app.NewVisitorAsync(value: "1");
        var old = KeyOf(browser);
        using var thief = browser.Twin();
        await browser.PageAsync("/", async context =>
        {
            await context.RenewSessionAsync("ann");
            context.Session.SetString("more", "2");
            throw new InvalidDataException("the handler fails");
        });
        Assert.That(await browser.ContentAsync(), Is.EqualTo("key=1 more=2 page=key more"));
        Assert.That(await thief.ContentAsync(), Is.Empty);
        Assert.That(await Redis.HashGetAsync(old, "@user"), Is.EqualTo(RedisValue.Null));
    }

    [Test]
    public async Task An_error_page_has_no_session_where_it_was_abandoned([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode, options => options.FailureMode = FailureMode.LogAndContinue);
        using var browser = await app.NewVisitorAsync();
        var old = KeyOf(browser);
        using var thief = browser.Twin();
        var (_, page) = await browser.PageAsync("/", async context =>
        {
            await context.AbandonSessionAsync();
            throw new InvalidDataException("the handler fails");
        });
        Assert.That(page, Is.EqualTo("found: "));
        Assert.That(browser.SessionCookie, Is.Null);
        Assert.That(await thief.ContentAsync(), Is.Empty);
        Assert.That(await Redis.HashExistsAsync(old, "page"), Is.False);
    }

    [Test]
    public async Task An_error_page_goes_on_with_a_new_session([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        var (_, page) = await browser.PageAsync("/", context =>
        {
            context.Session.SetString("key", "1");
            throw new InvalidDataException("the handler fails");
        });
        Assert.That(page, Is.EqualTo("found: key"));
        Assert.That(await browser.ContentAsync(), Is.EqualTo("key=1 page=key"));
    }

    [Test]
    public async Task A_request_that_is_sent_through_the_pipeline_again_goes_on_with_its_session(
        [Values] RedisSessionMode mode, [Values("/status", "/again", "/twice")] string path)
    {
        using var browser = await NewVisitorAsync(mode, value: "1");
        using var thief = browser.Twin();
        var (_, page) = await browser.PageAsync(path, async context =>
        {
            await context.RenewSessionAsync();
            context.Session.SetString("more", "2");
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        });
        Assert.That(page, Is.EqualTo("found: key more"));
        Assert.That(await browser.ContentAsync(), Is.EqualTo("key=1 more=2 page=key more"));
        Assert.That(await thief.ContentAsync(), Is.Empty);
    }

    [Test]
    public async Task A_write_that_fails_before_a_body_gets_an_error_page_and_is_logged_once([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var browser = await app.NewVisitorAsync();
        await Stack.MakeUnwritableAsync(browser.SessionId);
        var (status, page) = await browser.PageAsync("/", async context =>
        {
            context.Session.SetString("key", "2");
            await context.Response.WriteAsync("all is well");
        });
        Assert.That(status, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(page, Does.StartWith("failed: RedisServerException"));
        Assert.That(app.Logs.Of(SessionEvents.WriteFailed), Has.Count.EqualTo(1));
        var others = app.Logs.All.Where(entry => entry.Level >= LogLevel.Error && entry.EventId != SessionEvents.WriteFailed);
        Assert.That(others.Single().Error, Is.InstanceOf<RedisServerException>(), "the exception handler's, which got it");
    }

    [Test]
    public async Task A_write_that_fails_without_a_body_gets_an_error_page()
    {
        using var browser = await App.NewVisitorAsync();
        await Stack.MakeUnwritableAsync(browser.SessionId);
        var (status, page) = await browser.PageAsync("/", context =>
        {
            context.Session.SetString("key", "2");
            context.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        });
        Assert.That(status, Is.EqualTo(HttpStatusCode.InternalServerError));

        // SessionMiddleware swallows what its last commit throws, so only the start of the response can, and that is too late for a page.
        Assert.That(page, Stack.Pipeline == Pipeline.UseSession ? Is.Empty : Does.StartWith("failed: RedisServerException"));
    }

    protected override void Use(IApplicationBuilder app)
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
        base.Use(app);
        app.UseWhen(
            context => context.Request.Path == "/twice",
            app => app.Use(next => async context =>
            {
                await context.RenewSessionAsync();
                await next(context);
            }).Use(Stack.Pipeline).Use(next => async context =>
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
