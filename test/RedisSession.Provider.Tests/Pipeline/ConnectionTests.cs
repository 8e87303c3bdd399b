namespace RedisSession.Provider.Tests;

/// <summary>The ways to say which Redis, each with a real one, and whose connection it is in the end.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class ConnectionTests(ServerKind kind)
{
    private SharedServer _server = null!;

    [OneTimeSetUp]
    public async Task StartServer() => _server = await TestServers.GetAsync(kind);

    private static string NewName() => $"client-{Guid.NewGuid():N}";

    [Test]
    public async Task A_configuration_string_opens_a_connection_that_is_closed_with_the_application()
    {
        string name = NewName();
        var app = await TestApp.StartAsync(services => services.AddRedisHashSession($"{_server.ConfigurationString},name={name}"));
        await WorksAsync(app);
        Assert.That(ClientsNamed(name), Is.GreaterThan(0));
        await app.DisposeAsync();
        Assert.That(() => ClientsNamed(name), Is.Zero.After(5000, 10));
    }

    [Test]
    public async Task An_options_object_is_copied_and_left_as_it_was()
    {
        var options = ConfigurationOptions.Parse($"{_server.ConfigurationString},name={NewName()}");
        string before = options.ToString();
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(session => session.ConfigurationOptions = options));
        await WorksAsync(app);
        Assert.That(options.ToString(), Is.EqualTo(before));
        Assert.That(ClientsNamed(options.ClientName), Is.GreaterThan(0));
    }

    [Test]
    public async Task A_connection_of_the_applications_factory_stays_open()
    {
        await using var own = await ConnectionMultiplexer.ConnectAsync(_server.ConfigurationString);
        int made = 0;
        var app = await TestApp.StartAsync(services => services.AddRedisHashSession(options => options.ConnectionMultiplexerFactory = () =>
        {
            made++;
            return Task.FromResult<IConnectionMultiplexer>(own);
        }));
        await WorksAsync(app);
        await app.DisposeAsync();
        Assert.That(made, Is.EqualTo(1));
        Assert.That(await own.GetDatabase().PingAsync(), Is.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public async Task A_factory_that_fails_is_asked_again_by_the_next_request()
    {
        await using var own = await ConnectionMultiplexer.ConnectAsync(_server.ConfigurationString);
        bool fails = true;
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(options =>
            options.ConnectionMultiplexerFactory = () =>
                fails ? throw new InvalidOperationException("not yet") : Task.FromResult<IConnectionMultiplexer>(own)));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => Assert.That(session.IsAvailable, Is.False));
        fails = false;
        await WorksAsync(app);
    }

    [Test]
    public async Task A_factory_that_returns_nothing_is_named_in_the_log([Values] bool isTask)
    {
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(options =>
            options.ConnectionMultiplexerFactory = () => isTask ? Task.FromResult<IConnectionMultiplexer>(null!) : null!));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => Assert.That(session.IsAvailable, Is.False));
        Assert.That(
            app.Logs.Of(SessionEvents.ConnectingFailed)[0].Error!.Message,
            Is.EqualTo("The ConnectionMultiplexerFactory returned null, not a connection."));
    }

    [Test]
    public async Task The_multiplexer_in_the_service_collection_is_used_and_one_under_a_key_before_it()
    {
        await using var plain = await ConnectionMultiplexer.ConnectAsync(_server.ConfigurationString + ",defaultDatabase=1");
        await using var keyed = await ConnectionMultiplexer.ConnectAsync(_server.ConfigurationString + ",defaultDatabase=2");
        async Task<int> DatabaseUsedAsync(object? key)
        {
            await using var app = await TestApp.StartAsync(services =>
            {
                services.AddSingleton<IConnectionMultiplexer>(plain);
                services.AddKeyedSingleton<IConnectionMultiplexer>("sessions", keyed);
                services.AddRedisHashSession(options => options.ServiceKey = key);
            });
            await WorksAsync(app);
            return (await app.RedisAsync()).Database;
        }

        Assert.That(await DatabaseUsedAsync(null), Is.EqualTo(1));
        Assert.That(await DatabaseUsedAsync("sessions"), Is.EqualTo(2));
        Assert.That(plain.IsConnected && keyed.IsConnected, Is.True);
    }

    [Test]
    public async Task A_redis_url_names_server_and_database()
    {
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession($"redis://{_server.ConfigurationString}/3"));
        using var browser = await app.NewVisitorAsync();
        Assert.That(await _server.Admin.GetDatabase(3).KeyExistsAsync($"sessions:{browser.SessionId}"), Is.True);
    }

    private int ClientsNamed(string? name) => _server.Admin.GetServers().Single().ClientList().Count(client => client.Name == name);

    internal static async Task WorksAsync(TestApp app)
    {
        using var browser = await app.NewVisitorAsync();
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
    }
}
