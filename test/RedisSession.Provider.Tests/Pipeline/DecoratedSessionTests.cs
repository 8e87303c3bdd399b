using System.Diagnostics.CodeAnalysis;

namespace RedisSession.Provider.Tests;

/// <summary>The application has put an object of its own in front of the request's session, which passes everything on.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class DecoratedSessionTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    protected override void Configure(RedisHashSessionOptions options) => options.FailureMode = FailureMode.Throw;

    protected override void Use(IApplicationBuilder app)
    {
        base.Use(app);
        app.Use(next => context =>
        {
            if (context.Request.Path == "/read") _ = context.Session.GetString("key");
            context.Session = new Decorator(context.Session);
            return next(context);
        });
    }

    [Test]
    public async Task A_new_visitor_gets_its_cookie_with_and_without_a_body(
        [Values] RedisSessionMode mode, [Values("/", "/read")] string path, [Values] bool hasBody)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.PageAsync(path, async context =>
        {
            context.Session.SetString("key", "1");
            if (hasBody) await context.Response.WriteAsync("all is well");
        });
        Assert.That(await browser.ContentAsync(), Is.EqualTo("key=1"));
    }

    [Test]
    public async Task What_it_sets_is_in_Redis_before_the_response_starts(
        [Values] RedisSessionMode mode, [Values("/", "/read")] string path)
    {
        using var browser = Apps[mode].NewBrowser();
        string id = await browser.SetStringAsync();
        var (_, page) = await browser.PageAsync(path, async context =>
        {
            context.Session.SetString("key", "2");
            await context.Response.StartAsync();
            await context.Response.WriteAsync($"in Redis: {await Redis.HashGetAsync(Stack.KeyOf(id), "key")}");
        });
        Assert.That(page, Is.EqualTo("in Redis: 2"));
    }

    [Test]
    public async Task A_write_of_it_that_fails_is_no_success([Values] RedisSessionMode mode, [Values("/", "/read")] string path)
    {
        using var browser = Apps[mode].NewBrowser();
        await Stack.MakeUnwritableAsync(await browser.SetStringAsync());
        var (status, page) = await browser.PageAsync(path, async context =>
        {
            context.Session.SetString("key", "2");
            await context.Response.WriteAsync("all is well");
        });
        Assert.That(status, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(page, Is.Empty);
    }

    [Test]
    public async Task What_it_writes_into_the_pipe_without_a_flush_arrives([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        var (_, page) = await browser.PageAsync("/", context =>
        {
            context.Session.SetString("key", "1");
            context.Response.BodyWriter.GetSpan(1)[0] = (byte)'!';
            context.Response.BodyWriter.Advance(1);
            return Task.CompletedTask;
        });
        Assert.That(page, Is.EqualTo("!"));
    }

    private sealed class Decorator(ISession inner) : ISession
    {
        public bool IsAvailable => inner.IsAvailable;

        public string Id => inner.Id;

        public IEnumerable<string> Keys => inner.Keys;

        public void Clear() => inner.Clear();

        public Task CommitAsync(CancellationToken cancellationToken = default) => inner.CommitAsync(cancellationToken);

        public Task LoadAsync(CancellationToken cancellationToken = default) => inner.LoadAsync(cancellationToken);

        public void Remove(string key) => inner.Remove(key);

        public void Set(string key, byte[] value) => inner.Set(key, value);

        public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value) => inner.TryGetValue(key, out value);
    }
}
