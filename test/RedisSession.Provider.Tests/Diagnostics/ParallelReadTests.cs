using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>Reads that are under way together make a request wait once, on a server that surely answers none before all are sent.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class ParallelReadTests(ServerKind kind)
{
    [TestCase(1, false)]
    [TestCase(8, false)]
    [TestCase(9, true)]
    public async Task Reads_in_parallel_count_once_for_the_hint(int rounds, bool isHinted)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(server.ConfigurationString));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        await browser.VisitAsync(async context =>
        {
            for (int round = 0; round < rounds; round++)
            {
                server.Pause();
                var reads = Enumerable.Range(0, 20).Select(i => context.Session.GetStrAsync("key" + i).AsTask()).ToArray();
                server.Resume();
                await Task.WhenAll(reads);
            }
        });

        string[] hints = [.. app.Logs.Of(SessionEvents.ManySequentialReads).Select(entry => entry.Message)];
        if (isHinted) Assert.That(hints, Has.Length.EqualTo(1).And.One.Contains($" in {rounds} sequential round trips"));
        else Assert.That(hints, Is.Empty);
    }
}
