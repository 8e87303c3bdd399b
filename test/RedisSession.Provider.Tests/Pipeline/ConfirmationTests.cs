using Microsoft.AspNetCore.Http.Features;
using Moq;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Writes are confirmed before the response starts: what Redis refuses is never reported as done. At that moment the application's own
/// callbacks set keys too, and other tasks do meanwhile.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class ConfirmationTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    protected override void Configure(RedisHashSessionOptions options) => options.FailureMode = FailureMode.Throw;

    [Test]
    public async Task A_failed_write_is_a_500_with_FailureMode_Throw(
        [Values] RedisSessionMode mode, [Values("no callback", "before", "after", "without")] string registered)
    {
        using var browser = await NewUnwritableAsync(Apps[mode]);
        var (status, body) = await browser.PageAsync("/", context =>
        {
            if (registered == "no callback") context.Session.SetString("key", "new");
            else SetInCallback(context, registered);
            return context.Response.WriteAsync("all is well");
        });
        Assert.That(status, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(body, Does.Not.Contain("well"));
    }

    [Test]
    public async Task A_failed_write_is_logged_once_with_FailureMode_LogAndContinue([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode, options => options.FailureMode = FailureMode.LogAndContinue);
        using var browser = await NewUnwritableAsync(app);
        await browser.VisitAsync(context =>
        {
            context.Session.SetString("key", "secret value");
            return context.Response.WriteAsync("all is well");
        });
        var entry = app.Logs.Of(SessionEvents.WriteFailed).Single(entry => entry.Message.Contains(browser.SessionId, StringComparison.Ordinal));
        Assert.That(entry.Error?.Message, Does.Contain("WRONGTYPE"));
        Assert.That(entry.ToString(), Does.Not.Contain("secret"));
    }

    [Test]
    public async Task A_failure_that_the_application_has_caught_does_not_break_its_response([Values] RedisSessionMode mode)
    {
        using var browser = await NewUnwritableAsync(Apps[mode]);
        await browser.VisitAsync(async context =>
        {
            Assert.That(async () => await context.Session.SetAsync("key", [1]), Throws.InstanceOf<RedisServerException>());
            await context.Response.WriteAsync("sorry");
        });
    }

    [Test]
    public async Task CommitAsync_throws_when_a_write_fails_and_writes_when_it_is_tried_again([Values] RedisSessionMode mode)
    {
        using var browser = await NewUnwritableAsync(Apps[mode]);
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("a", "1");
            Assert.That(async () => await context.Session.CommitAsync(), Throws.InstanceOf<RedisServerException>());
            await Redis.KeyDeleteAsync(KeyOf(browser));
            context.Session.SetString("b", "2");
            await context.Session.CommitAsync();
        });
        Assert.That(await browser.ContentAsync(), Is.EqualTo("a=1 b=2"));
    }

    // As TempData of MVC does.
    [Test]
    public async Task What_a_callback_of_the_application_sets_is_in_Redis_before_the_response_starts(
        [Values] RedisSessionMode mode, [Values("before", "after", "without")] string registered)
    {
        using var browser = await NewVisitorAsync(mode);
        await browser.VisitAsync(async context =>
        {
            SetInCallback(context, registered);
            await context.Response.StartAsync();
            Assert.That(await Redis.HashExistsAsync(Stack.KeyOf(context.Session.Id), "late"), Is.True);
        });
    }

    // Another task starts it between the question whether it has started and what is done after that.
    [Test]
    public async Task A_key_can_be_set_at_the_very_moment_at_which_the_response_starts([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode);
        await browser.VisitAsync(async context =>
        {
            var real = context.Features.GetRequiredFeature<IHttpResponseFeature>();
            var starting = new Mock<IHttpResponseFeature>();
            starting.Setup(response => response.HasStarted).Returns(false);
            starting.Setup(response => response.OnStarting(It.IsAny<Func<object, Task>>(), It.IsAny<object>())).Throws<InvalidOperationException>();
            context.Features.Set(starting.Object);
            context.Session.SetString("key", "new");
            context.Features.Set(real);
            await context.Session.CommitAsync();
        });
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("new"));
    }

    /// <summary>A visitor with a session that Redis refuses to write.</summary>
    private async Task<Browser> NewUnwritableAsync(TestApp app)
    {
        var browser = await app.NewVisitorAsync();
        await Stack.MakeUnwritableAsync(browser.SessionId);
        return browser;
    }

    /// <summary>Registers a callback that sets a key: before or after the request's first use of its session, or without any other.</summary>
    private static void SetInCallback(HttpContext context, string registered)
    {
        if (registered == "after") context.Session.SetString("early", "1");
        context.Response.OnStarting(() =>
        {
            context.Session.SetString("late", "1");
            return Task.CompletedTask;
        });
        if (registered == "before") context.Session.SetString("early", "1");
    }
}
