namespace RedisSession.Provider.Tests.Packaging;

[TestFixtureSource(nameof(Everywhere))]
internal sealed class InstalledAppTests(ServerKind kind, Compilation compilation)
{
    private readonly string _prefix = $"{compilation}";
    private readonly string _home = Workplace.NewFolder($"home-{kind}-{compilation}");
    private AppBuild _build = null!;
    private SharedServer _server = null!;
    private InstalledApp _app = null!;
    private HttpClient _visitor = null!;

    private static IEnumerable<TestFixtureData> Everywhere =>
        from compilation in Enum.GetValues<Compilation>()
        from kind in TestServers.Kinds
        select new TestFixtureData(kind, compilation);

    private IDatabase Redis => _server.Admin.GetDatabase();

    [OneTimeSetUp]
    public async Task Start()
    {
        _build = await AppBuild.GetAsync(compilation);
        _server = await TestServers.GetAsync(kind);
        _app = await StartAsync();
    }

    [OneTimeTearDown]
    public async Task End() => await _app.DisposeAsync();

    [SetUp]
    public void Come() => _visitor = new HttpClient(new HttpClientHandler { CookieContainer = new CookieContainer() });

    [TearDown]
    public void Go() => _visitor.Dispose();

    [Test]
    public void It_is_compiled_as_it_is_said() => Assert.That(_build.IsManaged, Is.EqualTo(compilation == Compilation.JustInTime));

    [Test]
    public async Task What_one_request_sets_the_next_one_reads()
    {
        await PostAsync("/name/Ann");
        Assert.That(await GetAsync("/name"), Is.EqualTo("Ann"));
        Assert.That(await PostAsync("/visits"), Is.EqualTo("1"));
        Assert.That(await PostAsync("/visits"), Is.EqualTo("2"));
    }

    [Test]
    public async Task A_session_is_still_there_after_a_restart()
    {
        await PostAsync("/name/Ann");
        await using var again = await StartAsync();
        Assert.That(await GetAsync("/name", to: again), Is.EqualTo("Ann"));
    }

    [Test]
    public async Task Values_can_be_encrypted()
    {
        await using var secretive = await StartAsync("--RedisHashSession:ProtectValues", "true", "--RedisHashSession:AbsoluteTimeout", "01:00:00");
        await SendAsync(HttpMethod.Put, "/cart/async", """{"items":{"secret":1}}""", secretive);
        Assert.That(await GetAsync("/cart/get", secretive), Is.EqualTo("""{"items":{"secret":1}}"""));
        await PostAsync("/sign-in/Eve", secretive);
        Assert.That(Encoding.Latin1.GetString(await FieldAsync("Eve", "cart")), Does.Not.Contain("secret"));
    }

    [Test]
    public async Task Each_way_to_write_JSON_is_read_in_each_way(
        [Values("sync", "async")] string writing, [Values("get", "get-or", "get-async", "get-or-async", "read", "read-or")] string reading)
    {
        const string cart = """{"items":{"mug":1,"tea":2}}""";
        await SendAsync(HttpMethod.Put, $"/cart/{writing}", cart);
        Assert.That(await GetAsync($"/cart/{reading}"), Is.EqualTo(cart));
    }

    [Test]
    public async Task JSON_is_updated_in_one_step()
    {
        Assert.That(await PostAsync("/cart/tea"), Is.EqualTo("""{"items":{"tea":1}}"""));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PostAsync("/cart/tea")));
        Assert.That(await GetAsync("/cart/get"), Is.EqualTo("""{"items":{"tea":9}}"""));
    }

    [Test]
    public async Task Who_signs_in_is_found_until_he_signs_out()
    {
        await PostAsync("/name/Ann");
        await PostAsync("/sign-in/ann");
        Assert.That(await GetAsync("/sessions/ann"), Is.EqualTo("Ann"));
        Assert.That(await GetAsync("/name"), Is.EqualTo("Ann"));
        await PostAsync("/sign-out");
        Assert.That(await GetAsync("/sessions/ann"), Is.Empty);
        Assert.That(await GetAsync("/name"), Is.Empty);
    }

    [Test]
    public async Task The_cache_keeps_what_it_is_given()
    {
        string text = $"{compilation}-text";
        Assert.That(await PostAsync($"/cached/{text}"), Is.EqualTo(text));
        Assert.That(await Redis.KeyTimeToLiveAsync(text), Is.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public async Task It_is_healthy() => Assert.That(await GetAsync("/health"), Is.EqualTo("Healthy"));

    private Task<InstalledApp> StartAsync(params string[] settings) => InstalledApp.StartAsync(
        _build, _home,
        [
            "--session-redis", _server.ConfigurationString, "--session-redis-prefix", _prefix,
            "--session-cookie-secure", "false", .. settings, // the visitor comes by HTTP
        ]);

    private Task<string> GetAsync(string path, InstalledApp? to = null) => SendAsync(HttpMethod.Get, path, to: to);

    private Task<string> PostAsync(string path, InstalledApp? to = null) => SendAsync(HttpMethod.Post, path, to: to);

    private async Task<string> SendAsync(HttpMethod method, string path, string? json = null, InstalledApp? to = null)
    {
        using var request = new HttpRequestMessage(method, new Uri((to ?? _app).Address, path));
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await _visitor.SendAsync(request);
        string answer = await response.Content.ReadAsStringAsync();
        Assert.That(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {answer}");
        return answer;
    }

    /// <summary>A field of the only session of this user.</summary>
    private async Task<byte[]> FieldAsync(string user, string field)
    {
        await foreach (var key in _server.Admin.GetServers().Single().KeysAsync(pattern: $"{_prefix}:sessions:*"))
            if (await Redis.HashGetAsync(key, "@user") == user) return (byte[])(await Redis.HashGetAsync(key, field))!;
        throw new InvalidOperationException($"{user} has no session.");
    }
}
