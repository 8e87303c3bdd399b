using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>Endpoints at which the requests of one session take their turns.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class ExclusiveEndpointTests(ServerKind kind)
{
    private readonly OurStack _stack = new(kind);

    [Test]
    public async Task Requests_of_one_session_lose_nothing_of_each_other([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        await using var other = await StartAsync(mode);
        using var browser = new Visitor();
        await browser.GetAsync(app, "/count");
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => browser.GetAsync(i % 2 == 0 ? app : other, "/count")));
        Assert.That(answers.Select(answer => answer.Body), Is.EquivalentTo(Enumerable.Range(2, 60).Select(n => n.ToString(CultureInfo.InvariantCulture))));
    }

    [Test]
    public async Task Whoever_waits_in_vain_is_answered_with_503_or_gets_an_exception()
    {
        await using var app = await StartAsync(RedisSessionMode.Buffered);
        using var browser = new Visitor();
        await browser.GetAsync(app, "/count");
        var holding = browser.GetAsync(app, "/hold");
        await Until.TrueAsync("it is held", async () => (await browser.GetAsync(app, "/impatient")).Status == HttpStatusCode.ServiceUnavailable);
        var refused = await browser.GetAsync(app, "/impatient");
        Assert.That(refused.RetryAfter, Is.EqualTo("1"));
        Assert.That((await browser.GetAsync(app, "/throwing")).Body, Is.EqualTo(nameof(SessionLockTimeoutException)));
        await browser.GetAsync(app, "/release");
        Assert.That((await holding).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await browser.GetAsync(app, "/impatient")).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_hub_and_a_pipeline_that_takes_no_lock_are_refused_with_the_cure()
    {
        await using var app = await StartAsync(RedisSessionMode.Buffered);
        using var browser = new Visitor();
        Assert.That((await browser.GetAsync(app, "/hub")).Body, Is.EqualTo(nameof(InvalidOperationException)));
        await using var stock = await StartAsync(RedisSessionMode.Buffered, pipeline => pipeline.UseSession());
        Assert.That((await browser.GetAsync(stock, "/count")).Body, Is.EqualTo(nameof(InvalidOperationException)));
        Assert.That((await browser.GetAsync(stock, "/release")).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    private async Task<TestApp> StartAsync(RedisSessionMode mode, Action<IApplicationBuilder>? useSession = null)
    {
        var server = await _stack.ServerAsync();
        var released = new TaskCompletionSource();
        return await TestApp.StartAsync(
            services =>
            {
                services.AddRouting();
                services.AddRedisHashSession(options =>
                    (options.Configuration, options.KeyPrefix, options.Mode) = (server.ConfigurationString, _stack.KeyPrefix, mode));
            },
            pipeline =>
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
                (useSession ?? (it => it.UseRedisHashSession()))(pipeline);
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

    /// <summary>A browser that asks for pages.</summary>
    private sealed class Visitor : IDisposable
    {
        private readonly HttpClientHandler _handler = new() { CookieContainer = new() };
        private readonly HttpClient _client;

        public Visitor() => _client = new(_handler);

        public async Task<(HttpStatusCode Status, string Body, string? RetryAfter)> GetAsync(TestApp app, string path)
        {
            using var response = await _client.GetAsync(new Uri(app.Address, path));
            return (response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.RetryAfter?.ToString());
        }

        public void Dispose()
        {
            _client.Dispose();
            _handler.Dispose();
        }
    }
}
