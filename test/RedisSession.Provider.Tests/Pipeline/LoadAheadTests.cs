namespace RedisSession.Provider.Tests;

/// <summary>Which requests have their session loaded before they begin: those that would have to wait for it.</summary>
internal sealed class LoadAheadTests
{
    [TestCase("/sync", 1, true)]
    [TestCase("/async", 0, false)]
    [TestCase("/nothing", 0, false)]
    [TestCase("/writes", 0, false)]
    [TestCase("/told", 0, true)]
    [TestCase("/not", 0, false)]
    [TestCase("/elsewhere", 1, true, Description = "No endpoint: what is behind the session is one.")]
    public async Task By_default_an_endpoint_is_loaded_that_has_waited(string path, int learnt, bool isLoaded)
    {
        await using var app = await StartAsync();
        using var browser = await app.NewVisitorAsync();
        for (int i = 0; i < 3; i++) await browser.PageAsync(path);
        Assert.That(await IsLoadedAsync(browser, path), Is.EqualTo(isLoaded));
        Assert.That(app.Logs.Of(SessionEvents.LoadsAhead), Has.Count.EqualTo(learnt));
        if (path != "/sync") Assert.That(await IsLoadedAsync(browser, "/sync"), Is.False, "another endpoint");
    }

    [TestCase(true, "/async", true)]
    [TestCase(true, "/not", false)]
    [TestCase(false, "/sync", false)]
    [TestCase(false, "/told", true)]
    [TestCase(null, "/sync", false, RedisSessionMode.Live)]
    public async Task Nothing_is_learnt_where_it_is_said_or_in_live_mode_and_an_endpoint_has_the_last_word(
        bool? loadAhead, string path, bool isLoaded, RedisSessionMode mode = RedisSessionMode.Buffered)
    {
        await using var app = await StartAsync(loadAhead, mode);
        using var browser = await app.NewVisitorAsync();
        for (int i = 0; i < 2; i++) await browser.PageAsync(path);
        Assert.That(await IsLoadedAsync(browser, path), Is.EqualTo(isLoaded));
        Assert.That(app.Logs.Of(SessionEvents.LoadsAhead), Is.Empty);
    }

    /// <summary>As stock's does, which loads the session when it is first read.</summary>
    [Test]
    public async Task What_is_learnt_does_not_change_what_an_endpoint_finds_that_waits_first()
    {
        await using var app = await StartAsync();
        using var browser = await app.NewVisitorAsync();
        using var other = browser.Twin();
        for (int i = 0; i < 4; i++)
        {
            var read = browser.PageAsync("/late");
            await Until.TrueAsync("it waits", () => app.Services.GetRequiredService<Gate>().IsWaiting);
            await other.SetStringAsync("key", $"{i}");
            app.Services.GetRequiredService<Gate>().Open();
            Assert.That((await read).Body, Is.EqualTo($"{i}"));
        }

        Assert.That(app.Logs.Of(SessionEvents.LoadsAhead), Has.Count.EqualTo(1));
    }

    private static Task<TestApp> StartAsync(bool? loadAhead = null, RedisSessionMode mode = RedisSessionMode.Buffered) =>
        new OurStack(ServerKind.Garnet).StartAsync(options => options.Mode = mode, services => services.AddRouting().AddSingleton<Gate>(), app =>
        {
            app.UseRouting();
            app.UseRedisHashSession(loadAhead);
            app.Use(next => context =>
            {
                // What a request knows before it has asked for anything.
                context.Response.Headers["X-Loaded"] = (((RedisHashSession)context.Session).State.Snapshot is not null).ToString();
                return next(context);
            });
            app.UseEndpoints(endpoints =>
            {
                endpoints.MapGet("/sync", context => context.Response.WriteAsync(context.Session.GetString("key") ?? ""));
                endpoints.MapGet("/late", async context =>
                {
                    await context.RequestServices.GetRequiredService<Gate>().PassAsync();
                    await context.Response.WriteAsync(context.Session.GetString("key")!);
                });
                endpoints.MapGet("/async", async context => await context.Session.GetStrAsync("key"));
                endpoints.MapGet("/nothing", _ => Task.CompletedTask);
                endpoints.MapGet("/writes", context => context.Session.SetValueAsync("key", 1));
                endpoints.MapGet("/told", async context => await context.Session.GetStrAsync("key"))
                    .WithMetadata(new LoadSessionAheadAttribute());
                endpoints.MapGet("/not", context => context.Response.WriteAsync(context.Session.GetString("key") ?? ""))
                    .WithMetadata(new LoadSessionAheadAttribute(false));
            });
            app.Use(next => context =>
            {
                if (context.Request.Path == "/elsewhere") _ = context.Session.GetString("key");
                return next(context);
            });
        });

    private static async Task<bool> IsLoadedAsync(Browser browser, string path)
    {
        using var response = await browser.SendAsync(_ => Task.CompletedTask, path);
        return response.Headers.GetValues("X-Loaded").Single() == bool.TrueString;
    }

    /// <summary>Where a request waits for another, and then a moment longer than what was loaded ahead is good for.</summary>
    private sealed class Gate
    {
        private TaskCompletionSource _open = new();

        public bool IsWaiting { get; private set; }

        public async Task PassAsync()
        {
            IsWaiting = true;
            await _open.Task;
            await Task.Delay(150);
            (_open, IsWaiting) = (new(), false);
        }

        public void Open() => _open.SetResult();
    }
}
