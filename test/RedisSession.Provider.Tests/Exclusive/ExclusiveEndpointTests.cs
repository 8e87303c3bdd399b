using Microsoft.AspNetCore.SignalR;

namespace RedisSession.Provider.Tests;

/// <summary>Endpoints at which the requests of one session take their turns.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class ExclusiveEndpointTests(ServerKind kind)
{
    private readonly OurStack _stack = new(kind);

    [Test]
    public async Task Requests_of_one_session_lose_nothing_of_each_other([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        await using var other = await StartAsync(mode);
        using var browser = app.NewBrowser();
        await browser.PageAsync("/count");
        using var elsewhere = browser.Twin().At(other);
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => (i % 2 == 0 ? browser : elsewhere).PageAsync("/count")));
        Assert.That(answers.Select(answer => answer.Body), Is.EquivalentTo(Enumerable.Range(2, 60).Select(n => n.ToString(CultureInfo.InvariantCulture))));
    }

    [Test]
    public async Task Whoever_waits_in_vain_is_answered_with_503_or_gets_an_exception()
    {
        await using var app = await StartAsync(RedisSessionMode.Buffered);
        using var browser = app.NewBrowser();
        await browser.PageAsync("/count");
        var holding = browser.PageAsync("/hold");
        await Until.TrueAsync("it is held", async () => (await browser.PageAsync("/impatient")).Status == HttpStatusCode.ServiceUnavailable);
        using var refused = await browser.SendAsync(_ => Task.CompletedTask, "/impatient");
        Assert.That(refused.Headers.RetryAfter?.ToString(), Is.EqualTo("1"));
        Assert.That((await browser.PageAsync("/throwing")).Body, Is.EqualTo(nameof(SessionLockTimeoutException)));
        await browser.PageAsync("/release");
        Assert.That((await holding).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await browser.PageAsync("/impatient")).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_hub_and_a_pipeline_that_takes_no_lock_are_refused_with_the_cure()
    {
        await using var app = await StartAsync(RedisSessionMode.Buffered);
        using var browser = app.NewBrowser();
        Assert.That((await browser.PageAsync("/hub")).Body, Is.EqualTo(nameof(InvalidOperationException)));
        await using var stock = await StartAsync(RedisSessionMode.Buffered, Pipeline.UseSession);
        browser.At(stock);
        Assert.That((await browser.PageAsync("/count")).Body, Is.EqualTo(nameof(InvalidOperationException)));
        Assert.That((await browser.PageAsync("/release")).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    /// <summary>The session's middleware came before routing: it could not know which endpoint it would be.</summary>
    [Test]
    public async Task An_endpoint_that_is_selected_behind_the_session_is_refused_before_it_writes(
        [Values] Pipeline pipeline, [Values] RedisSessionMode mode, [Values("reads", "sets", "sets at once", "clears")] string way)
    {
        bool hasUsedIt = false;
        await using var app = await _stack.StartAsync(options => options.Mode = mode, services => services.AddRouting(), pipe => pipe
            .Use(pipeline)
            .UseRouting()
            .UseEndpoints(endpoints =>
            {
                endpoints.MapGet("/set", (HttpContext context) => context.Session.SetString("key", "1"));
                endpoints.MapGet("/exclusive", async (HttpContext context) =>
                {
                    if (way == "reads") context.Session.GetString("key");
                    else if (way == "sets") context.Session.SetString("key", "2");
                    else if (way == "sets at once") await context.Session.SetValueAsync("key", "2");
                    else context.Session.Clear();
                    hasUsedIt = true;
                }).WithExclusiveSession();
                endpoints.MapGet("/get", (HttpContext context) => context.Session.GetString("key"));
            }));
        using var browser = app.NewBrowser();
        await browser.PageAsync("/set");
        Assert.That((await browser.PageAsync("/exclusive")).Status, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(hasUsedIt, Is.False);
        Assert.That((await browser.PageAsync("/get")).Body, Is.EqualTo("1"));
    }

    private Task<TestApp> StartAsync(RedisSessionMode mode, Pipeline session = Pipeline.UseRedisHashSession)
    {
        var released = new TaskCompletionSource();
        return _stack.StartAsync(options => options.Mode = mode, services => services.AddRouting(), pipeline =>
        {
            pipeline.Use(async (context, next) =>
            {
                try
                {
                    await next(context);
                }
                catch (Exception error) when (!context.Response.HasStarted)
                {
                    await context.Response.WriteAsync(error.GetType().Name);
                }
            });
            pipeline.UseRouting();
            pipeline.Use(session);
            pipeline.UseEndpoints(endpoints =>
            {
                endpoints.MapGet("/count", async (HttpContext context) =>
                {
                    int count = (context.Session.GetInt32("count") ?? 0) + 1;
                    await Task.Yield();
                    context.Session.SetInt32("count", count);
                    return count.ToString(CultureInfo.InvariantCulture);
                }).WithExclusiveSession();
                endpoints.MapGet("/hold", async () => await released.Task).WithExclusiveSession();
                endpoints.MapGet("/release", () => released.TrySetResult());
                endpoints.MapGet("/impatient", () => "").WithExclusiveSession(TimeSpan.Zero);
                endpoints.MapGet("/throwing", [ExclusiveSession(WaitSeconds = 0.01, Throws = true)] () => "");
                endpoints.MapGet("/hub", () => "").WithExclusiveSession().WithMetadata(new HubMetadata(typeof(Hub)));
            });
        });
    }
}
