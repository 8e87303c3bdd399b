namespace RedisSession.Provider.Tests;

/// <summary>A request enters a session's middleware inside another one, as where a module adds its own; the outer one answers at the end.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class NestedPipelineTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(10);

    protected override void Configure(RedisHashSessionOptions options) => options.FailureMode = FailureMode.Throw;

    protected override void Use(IApplicationBuilder app)
    {
        base.Use(app);
        app.Use(next => async context =>
        {
            _ = context.Session.GetString("key");
            await next(context);
            await context.Response.WriteAsync("all is well");
        });
        app.UseWhen(context => context.Request.Path == "/stock", inner => inner.UseSession());
        app.UseWhen(context => context.Request.Path == "/ours", inner => inner.UseRedisHashSession());
        app.UseWhen(context => context.Request.Path == "/long", inner =>
        {
            var options = new SessionOptions { IdleTimeout = Long };
            if (Stack.Pipeline == Pipeline.UseSession) inner.UseSession(options);
            else inner.UseRedisHashSession(options);
        });
    }

    [Test]
    public async Task A_renewal_in_the_inner_one_gets_its_cookie_and_keeps_what_was_set_after_it(
        [Values] RedisSessionMode mode, [Values("/stock", "/ours")] string path)
    {
        using var browser = Apps[mode].NewBrowser();
        string old = await browser.SetStringAsync();
        await browser.PageAsync(path, async context =>
        {
            await context.RenewSessionAsync();
            context.Session.SetString("more", "2");
        });
        Assert.That(browser.SessionId, Is.Not.EqualTo(old));
        Assert.That(await browser.ContentAsync(), Is.EqualTo("key=1 more=2"));
    }

    [Test]
    public async Task A_write_in_the_inner_one_that_fails_is_no_success(
        [Values] RedisSessionMode mode, [Values("/stock", "/ours")] string path)
    {
        using var browser = Apps[mode].NewBrowser();
        string id = await browser.SetStringAsync();
        var (status, _) = await browser.PageAsync(path, async context =>
        {
            await Stack.MakeUnwritableAsync(id);
            context.Session.SetString("key", "2");
        });
        Assert.That(status, Is.EqualTo(HttpStatusCode.InternalServerError));
    }

    [Test]
    public async Task What_the_inner_one_writes_lives_as_long_as_that_says([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        string id = await browser.SetStringAsync();
        await browser.PageAsync("/long", context => context.Session.SetValueAsync("key", 2));
        Assert.That(await Redis.KeyTimeToLiveAsync(Stack.KeyOf(id)), Is.GreaterThan(Long - TimeSpan.FromMinutes(1)));
    }
}
