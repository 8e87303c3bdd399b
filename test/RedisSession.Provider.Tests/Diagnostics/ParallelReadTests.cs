namespace RedisSession.Provider.Tests;

/// <summary>Reads that are under way together make a request wait once, on a server that surely answers none before all are sent.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class ParallelReadTests(ServerKind kind)
{
    [TestCase(1, false), TestCase(8, false), TestCase(9, true)]
    public async Task Reads_in_parallel_count_once_for_the_hint(int rounds, bool isHinted)
    {
        await using var own = await OwnServerApp.StartAsync(kind, _ => { });
        await own.Browser.VisitAsync(async context =>
        {
            for (int round = 0; round < rounds; round++)
            {
                own.Server.Pause();
                var reads = Enumerable.Range(0, 20).Select(i => context.Session.GetStrAsync("key" + i).AsTask()).ToArray();
                own.Server.Resume();
                await Task.WhenAll(reads);
            }
        });

        string[] hints = [.. own.App.Logs.Of(SessionEvents.ManySequentialReads).Select(entry => entry.Message)];
        if (isHinted) Assert.That(hints, Has.Length.EqualTo(1).And.One.Contains($" in {rounds} sequential round trips"));
        else Assert.That(hints, Is.Empty);
    }
}
