namespace RedisSession.Provider.Tests;

/// <summary>Many first requests of one session at once, at several instances: one takes it over, and all of them have it.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class ParallelTakeoverTests(ServerKind kind) : TakeoverFixture(kind)
{
    private const int Requests = 64;
    private const int Rounds = 5;

    [Test]
    public async Task It_is_taken_over_once_and_nobody_finds_it_empty([Values] RedisSessionMode mode)
    {
        await using var instances = await StartThreeAsync(mode);
        for (int round = 1; round <= Rounds; round++)
        {
            using var browser = await LeaveAsync();
            await InParallelAsync(browser, Requests, instances.All, async (context, i) =>
            {
                var session = context.Session;
                switch (i % 4)
                {
                    case 0:
                        Assert.That(await session.GetIntAsync("count"), Is.EqualTo(41));
                        session.SetString($"from {i}", "1");
                        break;
                    case 1:
                        session.SetString($"from {i}", "1");
                        break;
                    case 2:
                        await session.LoadAsync();
                        Assert.That(session.GetString("name"), Is.EqualTo("Ann"));
                        await session.SetValueAsync($"from {i}", 1);
                        break;
                    default:
                        Assert.That(session.GetString("name"), Is.EqualTo("Ann")); // blocks
                        await session.IncrementAsync("counter");
                        break;
                }
            });

            await CheckKeptAsync(browser.At(instances.All[0]));
            var keys = await KeysAsync(browser);
            Assert.That(keys.Count(key => key.StartsWith("from ", StringComparison.Ordinal)), Is.EqualTo(Requests * 3 / 4));
            Assert.That(await browser.VisitAsync(session => session.GetInt("counter")), Is.EqualTo(Requests / 4));
            Assert.That(instances.TakenOver, Is.EqualTo(round));
        }
    }

    [Test]
    public async Task Parallel_increments_of_what_is_not_there_yet_count_all([Values] RedisSessionMode mode)
    {
        await using var instances = await StartThreeAsync(mode);
        using var browser = await LeaveAsync();
        await InParallelAsync(browser, Requests, instances.All, (context, _) => context.Session.IncrementAsync("counter"));
        await CheckKeptAsync(browser.At(instances.All[0]));
        Assert.That(await browser.VisitAsync(session => session.GetInt("counter")), Is.EqualTo(Requests));
    }

    [Test]
    public async Task The_last_of_several_sets_of_a_request_counts([Values] RedisSessionMode mode)
    {
        for (int round = 0; round < 20; round++)
        {
            using var browser = await LeaveAsync();
            await browser.At(Apps[mode]).VisitAsync(session =>
            {
                for (int i = 0; i <= 20; i++) session.SetInt32("count", i);
                session.Remove("bytes");
                session.Set("bytes", [0, 1, 255]);
            });
            await CheckKeptAsync(browser, "count");
            Assert.That(await browser.VisitAsync(session => session.GetInt32("count")), Is.EqualTo(20));
        }
    }

    private async Task<Instances> StartThreeAsync(RedisSessionMode mode) =>
        new(await Task.WhenAll(StartAsync(mode), StartAsync(mode), StartAsync(mode)));

    /// <summary>Several instances of one application.</summary>
    private sealed class Instances(TestApp[] all) : IAsyncDisposable
    {
        public TestApp[] All => all;

        public int TakenOver => all.Sum(app => app.Logs.Of(SessionEvents.SessionTakenOver).Count);

        public async ValueTask DisposeAsync()
        {
            foreach (var app in all) await app.DisposeAsync();
        }
    }
}
