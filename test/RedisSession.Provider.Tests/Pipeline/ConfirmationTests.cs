using System.Net;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Writes are confirmed before the response starts: what Redis refuses is never reported as done.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
[Parallelizable]
internal sealed class ConfirmationTests(ServerKind kind, Pipeline pipeline)
{
    private readonly OurStack _stack = new(kind, pipeline);
    private readonly Dictionary<(RedisSessionMode, FailureMode), TestApp> _apps = [];
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task StartApps()
    {
        _redis = await _stack.DatabaseAsync();
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            foreach (var failureMode in Enum.GetValues<FailureMode>())
            {
                _apps[(mode, failureMode)] = await _stack.StartAsync(options => (options.Mode, options.FailureMode) = (mode, failureMode));
            }
        }
    }

    [OneTimeTearDown]
    public async Task StopApps()
    {
        foreach (var app in _apps.Values) await app.DisposeAsync();
    }

    [Test]
    public async Task A_failed_write_is_a_500_with_FailureMode_Throw([Values] RedisSessionMode mode)
    {
        using var browser = _apps[(mode, FailureMode.Throw)].NewBrowser();
        await MakeUnwritableAsync(browser);
        using var response = await browser.SendAsync(context =>
        {
            context.Session.SetString("key", "new");
            return context.Response.WriteAsync("all is well");
        });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Not.Contain("well"));
    }

    [Test]
    public async Task A_failed_write_is_logged_once_with_FailureMode_LogAndContinue([Values] RedisSessionMode mode)
    {
        var app = _apps[(mode, FailureMode.LogAndContinue)];
        using var browser = app.NewBrowser();
        string id = await MakeUnwritableAsync(browser);
        using var response = await browser.SendAsync(context =>
        {
            context.Session.SetString("key", "secret value");
            return context.Response.WriteAsync("all is well");
        });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));

        var entry = app.Logs.Of(SessionEvents.WriteFailed).Single(entry => entry.Message.Contains(id, StringComparison.Ordinal));
        Assert.That(entry.Error?.Message, Does.Contain("WRONGTYPE"));
        Assert.That(entry.ToString(), Does.Not.Contain("secret"));
    }

    [Test]
    public async Task A_failure_that_the_application_has_caught_does_not_break_its_response([Values] RedisSessionMode mode)
    {
        using var browser = _apps[(mode, FailureMode.Throw)].NewBrowser();
        await MakeUnwritableAsync(browser);
        using var response = await browser.SendAsync(async context =>
        {
            Assert.That(async () => await context.Session.SetAsync("key", [1]), Throws.InstanceOf<RedisServerException>());
            await context.Response.WriteAsync("sorry");
        });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task CommitAsync_throws_when_a_write_fails_and_writes_when_it_is_tried_again([Values] RedisSessionMode mode)
    {
        using var browser = _apps[(mode, FailureMode.Throw)].NewBrowser();
        string id = await MakeUnwritableAsync(browser);
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("a", "1");
            Assert.That(async () => await context.Session.CommitAsync(), Throws.InstanceOf<RedisServerException>());
            await _redis.KeyDeleteAsync(_stack.KeyOf(id));
            context.Session.SetString("b", "2");
            await context.Session.CommitAsync();
        });
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["a", "b"]));
    }

    [Test]
    public async Task Changes_after_the_start_of_the_response_are_written_when_the_request_ends([Values] RedisSessionMode mode)
    {
        var app = _apps[(mode, FailureMode.Throw)];
        using var browser = app.NewBrowser();
        string id = await browser.VisitAsync(async context =>
        {
            context.Session.SetString("before", "1");
            await context.Response.WriteAsync("started");
            context.Session.SetString("after", "2");
            return context.Session.Id;
        });
        Assert.That(
            async () => (await _redis.HashGetAsync(_stack.KeyOf(id), ["before", "after"])).Select(value => (string?)value),
            Is.EqualTo(["1", "2"]).After(5000, 10));
    }

    /// <summary>Gives the browser a session, and puts something under its key that is no hash.</summary>
    private async Task<string> MakeUnwritableAsync(Browser browser)
    {
        string id = await browser.VisitAsync(session =>
        {
            session.SetString("key", "old");
            return session.Id;
        });
        await _redis.KeyDeleteAsync(_stack.KeyOf(id));
        await _redis.StringSetAsync(_stack.KeyOf(id), "no hash", TimeSpan.FromMinutes(5));
        return id;
    }
}
