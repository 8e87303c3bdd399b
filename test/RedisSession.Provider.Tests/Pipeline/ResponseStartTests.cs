using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Moq;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// The moment at which the response starts: what the application's own callbacks set there, and what other tasks set meanwhile.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
[Parallelizable]
internal sealed class ResponseStartTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    protected override void Configure(RedisHashSessionOptions options) => options.FailureMode = FailureMode.Throw;

    // As TempData of MVC does.
    [Test]
    public async Task What_a_callback_of_the_application_sets_is_in_Redis_before_the_response_starts(
        [Values] RedisSessionMode mode, [Values("before", "after", "without")] string registered)
    {
        using var browser = Apps[mode].NewBrowser();
        await NewSessionAsync(browser);
        await browser.VisitAsync(async context =>
        {
            SetInCallback(context, registered);
            await context.Response.StartAsync();
            Assert.That(await Redis.HashExistsAsync(Stack.KeyOf(context.Session.Id), "late"), Is.True);
        });
    }

    [Test]
    public async Task What_a_callback_of_the_application_sets_and_Redis_refuses_is_a_500(
        [Values] RedisSessionMode mode, [Values("before", "after", "without")] string registered)
    {
        using var browser = Apps[mode].NewBrowser();
        var key = await NewSessionAsync(browser);
        await Redis.KeyDeleteAsync(key);
        await Redis.StringSetAsync(key, "no hash", TimeSpan.FromMinutes(5));
        using var response = await browser.SendAsync(context =>
        {
            SetInCallback(context, registered);
            return context.Response.WriteAsync("all is well");
        });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
    }

    // Another task starts it between the question whether it has started and what is done after that.
    [Test]
    public async Task A_key_can_be_set_at_the_very_moment_at_which_the_response_starts([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await NewSessionAsync(browser);
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
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"));
    }

    /// <summary>
    /// Registers a callback that sets a key: before or after the request's first use of its session, or without any other.
    /// </summary>
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

    private async Task<RedisKey> NewSessionAsync(Browser browser) => Stack.KeyOf(await browser.VisitAsync(session =>
    {
        session.SetString("key", "old");
        return session.Id;
    }));
}
