using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Session;

namespace RedisSession.Provider.Tests;

/// <summary>Only SessionMiddleware does not say which request a session is for. Where it is not used, no request pays for being recorded.</summary>
internal sealed class CurrentRequestTests
{
    [TestCase(Pipeline.UseSession, ExpectedResult = true)]
    [TestCase(Pipeline.UseRedisHashSession, ExpectedResult = false)]
    public Task<bool> A_request_is_recorded_under_UseSession_only(Pipeline pipeline) => IsRecordedAsync(app => app.Use(pipeline));

    [Test]
    public async Task A_request_is_recorded_where_one_branch_uses_UseSession() => Assert.That(
        await IsRecordedAsync(app =>
        {
            app.UseRedisHashSession();
            app.Map("/module", module => module.UseSession());
        }),
        Is.True);

    [Test]
    public async Task A_request_is_recorded_where_the_application_makes_sessions_itself() => Assert.That(
        await IsRecordedAsync(app =>
        {
            app.UseRedisHashSession();
            _ = app.ApplicationServices.GetRequiredService<ISessionStore>();
        }),
        Is.True);

    /// <summary>A module adds its own part to the pipeline, in front of the application's.</summary>
    [Test]
    public async Task A_request_is_recorded_for_UseSession_in_a_filter_that_was_added_before([Values] bool twice)
    {
        await using var app = await TestApp.StartAsync(
            services =>
            {
                services.AddSingleton<IStartupFilter>(new Filter());
                for (int i = 0; i < (twice ? 2 : 1); i++) services.AddRedisHashSession("127.0.0.1:1");
            },
            _ => { });
        using var browser = app.NewBrowser();
        Assert.That(await browser.VisitAsync(context => Task.FromResult(RedisHashSession.Of(context.Session).Request == context)), Is.True);
        Assert.That(app.Services.GetServices<IStartupFilter>().OfType<CurrentRequest>().Count(), Is.EqualTo(1));
    }

    private static async Task<bool> IsRecordedAsync(Action<IApplicationBuilder> use)
    {
        await using var app = await TestApp.StartAsync("127.0.0.1:1", use: use);
        using var browser = app.NewBrowser();
        return await browser.VisitAsync(IsRecordedAsync);
    }

    private static Task<bool> IsRecordedAsync(HttpContext context) =>
        Task.FromResult(context.RequestServices.GetRequiredService<CurrentRequest>().Find()?.Context == context);

    /// <summary>Its session finds its request if that is recorded where the pipeline begins.</summary>
    private sealed class Filter : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseSession();
            next(app);
        };
    }
}
