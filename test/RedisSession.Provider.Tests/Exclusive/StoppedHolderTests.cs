namespace RedisSession.Provider.Tests;

/// <summary>The process of a request that holds the lock of its session stands still, or dies: the next one gets its turn.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable(ParallelScope.All)] // most of it waits
[Category(FullRun.Only)]
internal sealed class StoppedHolderTests(ServerKind kind)
{
    [Test]
    public async Task A_holder_that_stood_still_for_longer_than_its_lease_has_its_write_refused()
    {
        await using var stage = await Stage.BeginAsync(kind);
        var holding = await stage.HoldAsync();
        stage.Holder.StandStill();
        Assert.That(await stage.NextAsync(), Is.EqualTo("written"));
        stage.Holder.GoOn();
        Assert.That(await holding, Is.EqualTo("lost"));
        Assert.That(await stage.TurnAsync(), Is.EqualTo("next"));
    }

    [Test]
    public async Task A_holder_that_dies_is_succeeded_when_its_lease_ends()
    {
        await using var stage = await Stage.BeginAsync(kind);
        var holding = await stage.HoldAsync();
        await stage.Holder.KillAsync();
        Assert.That(await stage.NextAsync(), Is.EqualTo("written"));
        Assert.That(await stage.TurnAsync(), Is.EqualTo("next"));
        await Assert.ThatAsync(() => holding, Throws.InstanceOf<HttpRequestException>());
    }

    [Test]
    public async Task A_holder_whose_server_stood_still_for_a_while_keeps_its_lock()
    {
        if (!kind.IsProcess) return; // it cannot be stopped
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await TestApp.StartAsync(
            server.ConfigurationString + ",asyncTimeout=200", options => options.OutageTolerance = TimeSpan.Zero);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(async (HttpContext context) =>
        {
            await using var held = await context.Session.LockAsync();
            string key = $"sessions:{context.Session.Id}";
            server.Pause();
            await Task.Delay(TimeSpan.FromSeconds(4.5)); // the lease is extended every third of its ten seconds, in vain now
            server.Resume();

            // What was sent in vain arrives as well: the one after that is sent only by who has not given up.
            for (int extended = 0; extended < 2; extended++)
            {
                string before = await LeaseAsync();
                await Until.TrueAsync("the lease is extended", async () => await LeaseAsync() != before);
            }

            async Task<string> LeaseAsync() => (string)(await redis.GetDatabase().HashGetAsync(key, "@lock"))!;
        });
    }

    /// <summary>One session, a process that holds its lock, and an instance beside it.</summary>
    private sealed class Stage(KillableApp holder, Microsoft.AspNetCore.Builder.WebApplication next, IDatabase redis, string prefix, string keys)
        : IAsyncDisposable
    {
        private readonly HttpClient _client = new(new HttpClientHandler { CookieContainer = new CookieContainer() });

        public KillableApp Holder => holder;

        public static async Task<Stage> BeginAsync(ServerKind kind)
        {
            var server = await TestServers.GetAsync(kind);
            string prefix = SessionStack.NewKeyPrefix();
            string keys = Directory.CreateTempSubdirectory("holder-").FullName;
            var next = KillableApp.Build(server.ConfigurationString, prefix, keys, protectsValues: false);
            await next.StartAsync();
            var holder = await KillableApp.StartAsync(server.ConfigurationString, prefix, keys, bool.FalseString);
            var stage = new Stage(holder, next, server.Admin.GetDatabase(), prefix, keys);
            await stage.GetNextAsync("/arrive");
            return stage;
        }

        /// <summary>Its answer to come, when it has the lock.</summary>
        public async Task<Task<string>> HoldAsync()
        {
            var holding = _client.GetStringAsync(new Uri(holder.Address, "/hold"));
            await holder.UntilHoldingAsync();
            return holding;
        }

        public Task<string> NextAsync() => GetNextAsync("/turn");

        public async Task<string?> TurnAsync()
        {
            var session = await redis.Multiplexer.GetServers()[0].KeysAsync(redis.Database, $"{prefix}sessions:*").SingleAsync();
            return await redis.HashGetAsync(session, "turn");
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await holder.DisposeAsync();
            await next.DisposeAsync();
            Directory.Delete(keys, recursive: true);
        }

        private Task<string> GetNextAsync(string path) => _client.GetStringAsync(new Uri(new Uri(next.Urls.First()), path));
    }
}
