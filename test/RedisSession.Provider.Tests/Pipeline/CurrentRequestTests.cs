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

    private static async Task<bool> IsRecordedAsync(Action<IApplicationBuilder> use)
    {
        await using var app = await TestApp.StartAsync("127.0.0.1:1", use: use);
        using var browser = app.NewBrowser();
        return await browser.VisitAsync(context =>
            Task.FromResult(context.RequestServices.GetRequiredService<CurrentRequest>().Find()?.Context == context));
    }
}
