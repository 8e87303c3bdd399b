using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>
/// The synchronous API under a burst: every thread of the pool waits for a reply, and the replies must come all the same. Nothing runs
/// beside it, because it takes the whole pool. How stock does beside it: <c>dotnet run -c Release --project
/// test/RedisSession.Provider.Benchmarks -- blocking</c>.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable]
internal sealed class BlockingTests(ServerKind kind)
{
    [Test]
    public async Task Of_200_simultaneous_requests_that_read_5_keys_synchronously_all_are_answered([Values] RedisSessionMode mode)
    {
        const int Requests = 200;
        var server = await TestServers.GetAsync(kind);
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(options =>
        {
            (options.Configuration, options.KeyPrefix) = (server.ConfigurationString, SessionStack.NewKeyPrefix());
            (options.Mode, options.FailureMode) = (mode, FailureMode.Throw);
        }));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session =>
        {
            for (int i = 0; i < 5; i++) session.SetValue($"key{i}", i);
        });

        var answers = await Task.WhenAll(Enumerable.Range(0, Requests).Select(async _ =>
        {
            int sum = 0;
            using var response = await browser.SendAsync(context =>
            {
                for (int i = 0; i < 5; i++) sum += context.Session.GetInt($"key{i}");
                return Task.CompletedTask;
            });
            return (response.StatusCode, sum);
        }));
        Assert.That(answers, Is.All.EqualTo((HttpStatusCode.OK, 10)));
        Assert.That(app.Logs.Of(SessionEvents.TimedOut).Concat(app.Logs.Of(SessionEvents.ReadFailed)), Is.Empty);
    }
}
