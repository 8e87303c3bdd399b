using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace RedisSession.Provider.Tests;

/// <summary>What the health check says of servers in every state. Each test owns its server.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class HealthCheckTests(ServerKind kind)
{
    private const string Password = "health-password";

    /// <summary>The rights that sessions need. Those that only the directory, or keys that expire by themselves, need are not looked at.</summary>
    private static readonly string[] Rights =
    [
        "@connection", "hget", "hmget", "hgetall", "hkeys", "hset", "hincrby", "hdel", "exists", "expire", "pexpire", "pttl", "unlink",
        "time", "eval", "evalsha", "zadd", "zrem", "zscore", "zremrangebyscore", "zrange",
    ];

    private static IEnumerable<string> SingleRights => Rights.Except(["@connection", "eval", "evalsha"]);

    private ServerProcess _server = null!;

    private string AsUser => $"redis://sessions:{Password}@{_server.ConfigurationString}";

    [SetUp]
    public async Task StartServer() =>
        _server = await ServerProcess.StartAsync(kind, "--user", "admin", "on", ">admin", "~*", "&*", "+@all");

    [TearDown]
    public async Task StopServer() => await _server.DisposeAsync();

    [Test]
    public async Task A_server_that_works_is_healthy_and_nothing_is_left_on_it()
    {
        var entry = await CheckAsync(_server.ConfigurationString);
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Healthy));
        Assert.That(entry.Description, Is.EqualTo("Redis answers and runs scripts."));
        Assert.That(entry.Data["latency_ms"], Is.InstanceOf<double>().And.GreaterThan(0).And.LessThan(5000));
        Assert.That((entry.Data["servers"], entry.Data["servers_connected"]), Is.EqualTo((1, 1)));
        Assert.That(await KeysAsync(), Is.Zero);
    }

    [Test]
    public async Task It_writes_with_a_script_so_that_what_keeps_sessions_from_it_is_noticed()
    {
        await _server.AskAsync("CONFIG", "RESETSTAT");
        await CheckAsync(_server.ConfigurationString);
        var statistics = await _server.AskAsync("INFO", "commandstats");
        string[] expected = ["hmget", "eval", "hset", "pexpire", "unlink", "zadd", "time"];
        Assert.That(expected.Where(command => statistics.Line($"cmdstat_{command}") is null), Is.Empty);
    }

    [Test]
    public async Task A_killed_server_is_unhealthy_and_one_that_is_back_healthy_again()
    {
        await using var app = await StartAsync(_server.ConfigurationString);
        await CheckAsync(app);
        _server.Kill();
        await UntilAsync(app, HealthStatus.Unhealthy);
        var entry = await CheckAsync(app);
        IsUnhealthy(entry, "No Redis server that accepts writes can be reached.");
        Assert.That(entry.Exception, Is.InstanceOf<RedisConnectionException>());
        Assert.That(entry.Data["servers_connected"], Is.Zero);

        await _server.RestartAsync();
        await UntilAsync(app, HealthStatus.Healthy);
    }

    [TestCase(null, 5), TestCase(0.2, 0.2)]
    public async Task A_server_that_hangs_is_unhealthy_after_the_timeout(double? timeout, double seconds)
    {
        var time = timeout is { } given ? TimeSpan.FromSeconds(given) : (TimeSpan?)null;
        await using var app = await StartAsync(_server.ConfigurationString, checks => checks.AddRedisHashSession(timeout: time));
        await CheckAsync(app);
        _server.Pause();
        var entry = await CheckAsync(app);
        _server.Resume();
        IsUnhealthy(entry, "Redis does not answer in time.");
        Assert.That(entry.Duration, Is.InRange(TimeSpan.FromSeconds(seconds * 0.9), TimeSpan.FromSeconds(seconds + 3)));
    }

    [Test]
    public async Task A_user_with_the_rights_of_sessions_is_enough() =>
        Assert.That((await CheckWithRightsAsync(Rights)).Status, Is.EqualTo(HealthStatus.Healthy));

    [Test]
    public async Task A_user_without_a_right_is_unhealthy_and_told_which_it_is([ValueSource(nameof(SingleRights))] string missing)
    {
        var entry = await CheckWithRightsAsync(Rights.Except([missing]));
        IsUnhealthy(entry, $"Redis answers, but its user has no permission for {missing}.");
        Assert.That(await KeysAsync(), Is.Zero, "nothing is left behind, also where it cannot be removed");
    }

    [TestCase("its user has no permission for hset, hmget, time, zadd.", "hmget", "hset", "zadd", "time")]
    [TestCase("the scripts that sessions need are refused (NOPERM).", "eval", "evalsha")]
    public async Task All_rights_that_are_missing_are_told_at_once(string told, params string[] missing) =>
        IsUnhealthy(await CheckWithRightsAsync(Rights.Except(missing)), $"Redis answers, but {told}");

    [Test]
    public async Task What_handlers_need_is_looked_at_where_there_are_handlers([Values("get", "set", "setex", "psetex")] string missing)
    {
        var entry = await CheckWithRightsAsync([.. Rights, .. ((string[])["get", "set", "setex", "psetex"]).Except([missing])]);
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Healthy));
        await using var listening = await StartAsync(AsUser, checks =>
            checks.AddRedisHashSession().Services.AddSingleton<ISessionLifecycle>(new RecordedEvents()));
        IsUnhealthy(await CheckAsync(listening), $"Redis answers, but its user has no permission for {missing}.");
    }

    /// <summary>
    /// A session whose values are encrypted gets its new key by way of the application. Either way the expiries of keys are read.
    /// </summary>
    [TestCase("", null, null)]
    [TestCase("hscan", null, "hscan")]
    [TestCase("hpexpiretime", "hpexpiretime", "hpexpiretime")]
    [TestCase("hpexpireat", "hpexpireat", "hpexpireat")]
    [TestCase("hpexpire hpexpireat", null, null)]
    [TestCase("hpexpire hpexpireat hpexpiretime", "hpexpiretime", "hpexpiretime")]
    public async Task What_a_new_key_needs_is_looked_at(string missing, string? told, string? toldOfEncrypted)
    {
        string[] more = kind.HasFieldExpiry ? ["hscan", "hpexpire", "hpexpireat", "hpexpiretime"] : ["hscan"];
        if (toldOfEncrypted is not null && !more.Contains(toldOfEncrypted)) return; // this server does not have the command
        await UseAclAsync([.. Rights, .. more.Except(missing.Split(' '))]);
        foreach (bool isEncrypted in (bool[])[false, true])
        {
            var entry = await CheckAsync(AsUser, options => options.ProtectValues = isEncrypted);
            if ((isEncrypted ? toldOfEncrypted : told) is { } right)
                IsUnhealthy(entry, $"Redis answers, but its user has no permission for {right}.");
            else
                Assert.That(entry.Status, Is.EqualTo(HealthStatus.Healthy), entry.Description);
        }

        Assert.That(await KeysAsync(), Is.Zero);
    }

    [Test]
    public async Task Replicas_that_are_waited_for_and_not_there_are_unhealthy()
    {
        var entry = await CheckAsync(_server.ConfigurationString, options => options.WaitForReplicas = 1);
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(entry.Description, Does.Contain("only 0 of the 1 replicas required by WaitForReplicas follow"));
    }

    [Test]
    public async Task TLS_that_does_not_come_about_is_not_called_a_wrong_password([Values] bool portSpeaksTls)
    {
        await using var tls = new UntrustedTlsPort();
        string address = portSpeaksTls ? tls.Address : _server.ConfigurationString;
        var entry = await CheckAsync($"{address},ssl=true,user=sessions,password={Password}");

        // A plain port says nothing to a TLS greeting.
        IsUnhealthy(entry, portSpeaksTls
            ? ["The TLS handshake failed: the server's certificate is not trusted, or its port does not speak TLS."]
            : ["No Redis server that accepts writes can be reached.", "Redis does not answer in time."]);
    }

    [Test]
    public async Task The_key_is_one_under_the_prefix()
    {
        await UseAclAsync(Rights);
        var entry = await CheckAsync(AsUser, options => options.KeyPrefix = "other:");
        IsUnhealthy(entry, "Redis answers, but reading sessions is refused (NOPERM).");
    }

    [Test]
    public async Task A_replica_is_unhealthy()
    {
        await using var app = await StartAsync(_server.ConfigurationString);
        await CheckAsync(app);
        await _server.AskAsync("REPLICAOF", "127.0.0.1", "1");
        string[] readOnly = ["Redis is read-only, like a replica (READONLY).", "No Redis server that accepts writes can be reached."];
        IsUnhealthy(await CheckAsync(app), readOnly);
    }

    [Test]
    public async Task A_server_without_memory_is_unhealthy()
    {
        await _server.AskAsync("CONFIG", "SET", "maxmemory-policy", "noeviction");
        await _server.AskAsync("CONFIG", "SET", "maxmemory", "1");
        IsUnhealthy(await CheckAsync(_server.ConfigurationString), "Redis has no memory left for writes (OOM).");
    }

    [Test]
    public async Task Name_status_and_tags_are_those_that_were_given()
    {
        await using var app = await StartAsync(
            _server.ConfigurationString, checks => checks.AddRedisHashSession("sessions", HealthStatus.Degraded, ["ready"]));
        _server.Kill();
        await UntilAsync(app, HealthStatus.Degraded, "sessions");
        Assert.That((await ReportAsync(app)).Entries["sessions"].Tags, Is.EqualTo(["ready"]));
    }

    [Test]
    public async Task A_wrong_password_is_unhealthy_and_not_shown()
    {
        await UseAclAsync(Rights);
        var entry = await CheckAsync($"redis://sessions:wrong-{Password}@{_server.ConfigurationString}");
        IsUnhealthy(entry, "Redis does not accept the user and password (WRONGPASS).");
        Assert.That(JsonSerializer.Serialize(entry.Data) + entry.Description + entry.Exception, Does.Not.Contain(Password));
    }

    [Test]
    public async Task A_connection_that_cannot_be_made_is_unhealthy()
    {
        var entry = await CheckAsync(_server.ConfigurationString, options =>
            options.ConnectionMultiplexerFactory = () => throw new InvalidOperationException("secret"));
        IsUnhealthy(entry, "No Redis server that accepts writes can be reached.");
    }

    private static async Task<HealthReportEntry> CheckAsync(string configuration, Action<RedisHashSessionOptions>? configure = null)
    {
        await using var app = await StartAsync(configuration, configure: configure);
        return await CheckAsync(app);
    }

    private async Task<HealthReportEntry> CheckWithRightsAsync(IEnumerable<string> rights)
    {
        await UseAclAsync(kind.HasFieldExpiry ? [.. rights, "hpexpiretime"] : rights); // which a new key needs there
        return await CheckAsync(AsUser);
    }

    private static void IsUnhealthy(HealthReportEntry entry, params string[] descriptions)
    {
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(entry.Description, Is.AnyOf(descriptions));
    }

    private static async Task<HealthReportEntry> CheckAsync(TestApp app) => (await ReportAsync(app)).Entries["redis-session"];

    private static Task<HealthReport> ReportAsync(TestApp app) => app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

    private static Task UntilAsync(TestApp app, HealthStatus status, string name = "redis-session") =>
        Until.TrueAsync($"it is {status}", async () => (await ReportAsync(app)).Entries[name].Status == status);

    // The default user may be off.
    private async Task<long> KeysAsync()
    {
        string asAdmin = _server.ConfigurationString + ",user=admin,password=admin,allowAdmin=true";
        await using var admin = await ConnectionMultiplexer.ConnectAsync(asAdmin);
        return await admin.GetServers().Single().DatabaseSizeAsync();
    }

    private async Task UseAclAsync(IEnumerable<string> commands)
    {
        string[] keys = ["~app:sessions:*", "~app:users:*", "~app:owners:*"];
        string[] rights = ["resetkeys", .. keys, "resetchannels", "-@all", .. commands.Select(name => "+" + name)];
        await _server.AskAsync(["ACL", "SETUSER", "sessions", "on", $">{Password}", .. rights]);
        await _server.AskAsync("ACL", "SETUSER", "default", "off");
    }

    private static Task<TestApp> StartAsync(
        string configuration, Action<IHealthChecksBuilder>? add = null, Action<RedisHashSessionOptions>? configure = null) =>
        TestApp.StartAsync(services =>
        {
            services.AddRedisHashSession(options =>
            {
                (options.Configuration, options.KeyPrefix) = (configuration, "app:");
                configure?.Invoke(options);
            });
            (add ?? (checks => checks.AddRedisHashSession()))(services.AddHealthChecks());
        });
}
