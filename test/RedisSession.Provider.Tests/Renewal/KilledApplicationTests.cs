namespace RedisSession.Provider.Tests;

/// <summary>
/// The application dies, as by a power cut, at some moment of a renewal: every visitor's cookie leads to the whole session.
/// </summary>
[TestFixtureSource(nameof(Ways))]
[Parallelizable(ParallelScope.All)] // most of it waits
[Category(FullRun.Only)]
internal sealed class KilledApplicationTests(ServerKind kind, bool inPortions) : OwningFixture
{
    private const int VisitorsOfOne = 10;

    private readonly DirectoryInfo _keys = Directory.CreateTempSubdirectory("killed-");
    private readonly string _prefix = SessionStack.NewKeyPrefix();
    private SharedServer _server = null!;
    private Uri _address = null!; // of an application that survives

    private static IEnumerable<TestFixtureData> Ways() =>
        from kind in TestServers.Kinds
        from inPortions in new[] { false, true }
        select new TestFixtureData(kind, inPortions);

    [OneTimeSetUp]
    public async Task StartSurviving()
    {
        _server = await TestServers.GetAsync(kind);
        var surviving = Owned.Add(KillableApp.Build(_server.ConfigurationString, _prefix, _keys.FullName, inPortions));
        await surviving.StartAsync();
        _address = new(surviving.Urls.First());
    }

    [OneTimeTearDown]
    public void DeleteKeys() => _keys.Delete(recursive: true);

    [Test]
    public async Task Every_cookie_leads_to_the_whole_session()
    {
        // Far away, so that its steps take their time.
        await using var relay = new Relay(_server.ConfigurationString, back: TimeSpan.FromMilliseconds(3));
        int renewed = 0, old = 0;
        int rounds = (Tries.Of(2 * VisitorsOfOne) + VisitorsOfOne - 1) / VisitorsOfOne;
        for (int round = 0; round < rounds || old == 0 || renewed == 0; round++)
        {
            await using var app = await StartKillableAsync(relay.Address);
            using (var first = new Visitor(_address))
            {
                await first.GetAsync(_address, "/arrive");
                await first.GetAsync(app.Address, "/sign-in"); // it is warm
            }

            Visitor[] visitors = [.. Enumerable.Range(0, VisitorsOfOne).Select(_ => new Visitor(_address))];
            await Task.WhenAll(visitors.Select(visitor => visitor.GetAsync(_address, "/arrive")));
            string[] before = [.. visitors.Select(visitor => visitor.Cookie)];

            // They sign in one after the other, so that it meets each in another step, when some have been answered.
            int answered = 0, some = Random.Shared.Next(VisitorsOfOne);
            var signingIn = visitors.Select(async (visitor, i) =>
            {
                await Task.Delay(i * 3);
                await Attempt.IsDoneAsync<HttpRequestException>(() => visitor.GetAsync(app.Address, "/sign-in")); // or it is dead
                Interlocked.Increment(ref answered);
            }).ToArray();
            while (Volatile.Read(ref answered) < some) await Task.Delay(1); // each is, or fails
            await app.KillAsync();
            await Task.WhenAll(signingIn);
            for (int i = 0; i < visitors.Length; i++)
            {
                bool isNew = visitors[i].Cookie != before[i];
                (renewed, old) = isNew ? (renewed + 1, old) : (renewed, old + 1);
                string found = await visitors[i].GetAsync(_address, "/whole");
                Assert.That(found, Is.EqualTo(isNew ? "full 1000 1" : "full 1000 "), $"round {round}, visitor {i}");
                visitors[i].Dispose();
            }
        }

        TestContext.Out.WriteLine($"{renewed} had the new cookie, {old} the old one");
        // Nothing is left for ever.
        await foreach (var key in _server.Admin.GetServers()[0].KeysAsync(pattern: $"{_prefix}*"))
            Assert.That(await _server.Admin.GetDatabase().KeyTimeToLiveAsync(key), Is.Not.Null, $"{key}");
    }

    /// <summary>
    /// Longer than its lease: nobody can tell that from its death, so whoever has the old cookie finds the session again. Not longer than
    /// until it goes on.
    /// </summary>
    [Test]
    public async Task An_application_that_stood_still_behind_its_response_ends_the_old_session_when_it_goes_on()
    {
        await using var app = await StartKillableAsync(_server.ConfigurationString);
        bool hasFoundIt = false;
        while (!hasFoundIt)
        {
            using var visitor = new Visitor(_address);
            await visitor.GetAsync(_address, "/arrive");
            using var thief = visitor.Twin();
            await visitor.GetAsync(app.Address, "/sign-in");
            app.StandStill(); // it may have ended the old one by now: then once more
            hasFoundIt = await thief.GetAsync(_address, "/whole") == "full 1000 ";
            await visitor.GetAsync(_address, "/more");
            app.GoOn();
            await Until.TrueAsync("the old cookie finds nothing", async () => await thief.GetAsync(_address, "/whole") == "  ");
            Assert.That(await visitor.GetAsync(_address, "/whole"), Is.EqualTo("full 1001 1"));
        }
    }

    private Task<KillableApp> StartKillableAsync(string redis) => KillableApp.StartAsync(redis, _prefix, _keys.FullName, inPortions.ToString());

    private sealed class Visitor(Uri home) : IDisposable
    {
        private readonly CookieContainer _cookies = new();
        private HttpClient? _client;

        public string Cookie => _cookies.GetCookies(home).Single().Value;

        /// <summary>Somebody with the same cookie.</summary>
        public Visitor Twin()
        {
            var twin = new Visitor(home);
            twin._cookies.Add(home, new Cookie(_cookies.GetCookies(home).Single().Name, Cookie));
            return twin;
        }

        public Task<string> GetAsync(Uri address, string path)
        {
            _client ??= new(new HttpClientHandler { CookieContainer = _cookies });
            return _client.GetStringAsync(new Uri(address, path));
        }

        public void Dispose() => _client?.Dispose();
    }
}
