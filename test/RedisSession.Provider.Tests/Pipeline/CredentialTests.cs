using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis.Configuration;

namespace RedisSession.Provider.Tests;

/// <summary>Passwords that are rotated, wrong or in a URL, tokens that run out, and a Unix socket. Each test owns its server.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class CredentialTests(ServerKind kind)
{
    private const string User = "shop";

    [Test]
    public async Task What_is_rotated_in_the_options_of_the_application_is_used_by_the_next_connect([Values(User, "another")] string user)
    {
        await using var server = await OwnServer.StartAsync(kind, "first");
        var given = server.OptionsWith("first");
        await using var app = await StartWorkingAsync(given);

        await server.SetPasswordAsync("second", user);
        if (user != User) await server.Admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", User, "off");
        (given.User, given.Password) = (user, "second");
        await server.CutAsync();
        await OwnServer.UntilServedAsync(app);
    }

    [Test]
    public async Task A_token_that_changes_all_the_time_is_asked_for_at_each_connect()
    {
        await using var server = await OwnServer.StartAsync(kind, "token0");
        var provider = new Tokens { Token = "token0" };
        var given = server.OptionsWith(null);
        (given.User, given.Defaults) = (null, provider);
        await using var app = await StartWorkingAsync(given);
        for (int i = 1; i <= 3; i++)
        {
            await server.SetPasswordAsync(provider.Token = $"token{i}");
            await server.CutAsync();
            await OwnServer.UntilServedAsync(app);
        }

        Assert.That(app.Logs.Of(SessionEvents.ConnectionRefused), Is.Empty);
    }

    [Test]
    public async Task The_log_says_once_for_each_outage_why_a_reconnect_is_refused_and_no_password()
    {
        await using var server = await OwnServer.StartAsync(kind, "first");
        var given = server.OptionsWith("first");
        await using var app = await StartWorkingAsync(given);
        for (int outage = 1; outage <= 2; outage++)
        {
            await server.SetPasswordAsync($"rotated{outage}");
            await server.CutAsync();
            await Until.TrueAsync("it is logged", () => app.Logs.Of(SessionEvents.ConnectionRefused).Count == outage);
            given.Password = $"rotated{outage}";
            await OwnServer.UntilServedAsync(app);
        }

        var logged = app.Logs.Of(SessionEvents.ConnectionRefused);
        Assert.That(logged, Has.Count.EqualTo(2));
        Assert.That(logged.Select(entry => entry.Message), Has.All.Contains("WRONGPASS"));
        Assert.That(string.Join('\n', app.Logs.All), Does.Not.Contain("rotated").And.Not.Contain("first"));
    }

    [Test]
    public async Task A_wrong_password_that_ends_as_the_default_user_is_an_error_in_the_log_and_unhealthy()
    {
        await using var server = await OwnServer.StartAsync(kind, "right");
        await using (var app = await StartAsync(server.OptionsWith("wrong")))
        {
            await Until.TrueAsync("it is logged", () => app.Logs.Of(SessionEvents.WrongUser).Count > 0);
            var logged = app.Logs.Of(SessionEvents.WrongUser).Single();
            Assert.That(logged.Message, Does.Contain($"'{User}'").And.Contain("'default'").And.Not.Contain("wrong-password"));
            var entry = await CheckAsync(app);
            Assert.That(entry.Status, Is.EqualTo(HealthStatus.Unhealthy));
            Assert.That(entry.Description, Does.Contain(User).And.Contain("default"));
        }

        await using (var app = await StartAsync(server.OptionsWith("right")))
        {
            Assert.That((await CheckAsync(app)).Status, Is.EqualTo(HealthStatus.Healthy));
            Assert.That(app.Logs.Of(SessionEvents.WrongUser), Is.Empty);
        }
    }

    /// <summary>With the rights of the documentation, which have no ACL WHOAMI, and with it.</summary>
    [Test]
    public async Task Who_we_are_is_known_with_and_without_the_right_to_ask(
        [Values("", "+acl|whoami", "-client|info", "+acl|whoami -client|info")] string rights)
    {
        await using var server = await OwnServer.StartAsync(kind, "right");
        object[] rules = ["SETUSER", User, "-@all", "+@connection", .. rights.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        await server.Admin.GetDatabase().ExecuteAsync("ACL", rules);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(server.OptionsWith("right"));
        bool isTold = rights != "-client|info" || kind.Version! >= new Version(7, 1); // which names the user in the refusal
        Assert.That(await ConnectedUser.FindAsync(connection.GetServers().Single()), isTold ? Is.EqualTo(User) : Is.Null);
    }

    [Test]
    public async Task A_url_gives_user_and_password_percent_encoded()
    {
        const string Password = "p@ss:w/rd?#%";
        await using var server = await OwnServer.StartAsync(kind, Password);
        await server.CutAsync();
        string url = $"redis://{User}:{Uri.EscapeDataString(Password)}@{server.Address}/0";
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession(url));
        await ConnectionTests.WorksAsync(app);
    }

    [Test]
    public async Task A_url_names_a_Unix_socket()
    {
        string socket = Path.Combine(Path.GetTempPath(), $"rs-{Guid.NewGuid():N}.sock");
        await using var server = await ServerProcess.StartAsync(kind, "--unixsocket", socket);
        await using var app = await TestApp.StartAsync(services => services.AddRedisHashSession($"unix://{socket}?db=1"));
        await ConnectionTests.WorksAsync(app);
    }

    [Test]
    public void Whatever_else_the_application_has_said_stays()
    {
        int called = 0;
        var given = new ConfigurationOptions { EndPoints = { "localhost" }, Defaults = new Odd(), KeepAlive = 17 };
        given.BeforeSocketConnect = (_, _, _) => called++;
        var copy = LiveCredentials.CopyOf(given);
        foreach (var property in typeof(ConfigurationOptions).GetProperties().Where(property =>
            property.PropertyType.IsValueType || property.PropertyType == typeof(string) || property.PropertyType == typeof(CommandMap)))
            Assert.That(property.GetValue(copy), Is.EqualTo(property.GetValue(given)), property.Name);
        copy.BeforeSocketConnect!(new DnsEndPoint("localhost", 1), ConnectionType.Interactive, null!);
        Assert.That(called, Is.EqualTo(1));
    }

    private static async Task<HealthReportEntry> CheckAsync(TestApp app) =>
        (await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries.Single().Value;

    private static async Task<TestApp> StartWorkingAsync(ConfigurationOptions given)
    {
        var app = await StartAsync(given);
        await ConnectionTests.WorksAsync(app);
        return app;
    }

    private static Task<TestApp> StartAsync(ConfigurationOptions given) => TestApp.StartAsync(services =>
    {
        services.AddRedisHashSession(options => options.ConfigurationOptions = given);
        services.AddHealthChecks().AddRedisHashSession();
    });

    /// <summary>As the providers of Azure and AWS do it.</summary>
    private sealed class Tokens : DefaultOptionsProvider
    {
        public required string Token { get; set; }

        public override string User => CredentialTests.User;

        public override string Password => Token;
    }

    private sealed class Odd : DefaultOptionsProvider
    {
        public override bool AllowAdmin => true;

        public override int ConnectRetry => 17;

        public override string TieBreaker => "odd";

        public override TimeSpan SyncTimeout => TimeSpan.FromSeconds(17);

        public override CommandMap CommandMap => CommandMap.Twemproxy;
    }

    private sealed class OwnServer(ServerProcess process, ConnectionMultiplexer admin) : IAsyncDisposable
    {
        private readonly List<string> _users = [];

        public ConnectionMultiplexer Admin => admin;

        public string Address => process.ConfigurationString;

        public static async Task<OwnServer> StartAsync(ServerKind kind, string password)
        {
            var process = await ServerProcess.StartAsync(kind);
            var server = new OwnServer(process, await ConnectionMultiplexer.ConnectAsync(process.ConfigurationString + ",allowAdmin=true"));
            await server.SetPasswordAsync(password);
            return server;
        }

        public ConfigurationOptions OptionsWith(string? password) => new() { EndPoints = { Address }, User = User, Password = password };

        /// <summary>Of a user who may do everything; his old one does not work any more.</summary>
        public async Task SetPasswordAsync(string password, string user = User)
        {
            _users.Add(user);
            await admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", user, "on", "resetpass", $">{password}", "~*", "&*", "+@all");
        }

        /// <summary>Ends the connections of everybody but the test; who is nobody gets in no more.</summary>
        public async Task CutAsync()
        {
            await admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", "default", "resetpass");
            foreach (string user in _users.Distinct()) await admin.GetDatabase().ExecuteAsync("CLIENT", "KILL", "USER", user);
        }

        public static Task UntilServedAsync(TestApp app) => Until.TrueAsync("it is served", async () =>
        {
            using var browser = app.NewBrowser();
            return await browser.VisitAsync(context => Attempt.IsDoneAsync(
                () => context.Session.SetAsync("key", [1]), error => error is RedisException or OperationCanceledException));
        });

        public async ValueTask DisposeAsync()
        {
            await admin.DisposeAsync();
            await process.DisposeAsync();
        }
    }
}
