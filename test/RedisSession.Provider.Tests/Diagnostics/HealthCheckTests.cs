using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>What the health check says of servers in every state. Each test owns its server.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class HealthCheckTests(ServerKind kind)
{
    private const string Password = "health-password";

    /// <summary>The rights that sessions need. Those that only the directory, or keys that expire by themselves, need are not looked at.</summary>
    private static readonly string[] Rights =
    [
        "@connection", "hget", "hmget", "hgetall", "hset", "hincrby", "hdel", "exists", "expire", "pexpire", "pttl", "unlink",
        "time", "eval", "evalsha", "zadd", "zrem", "zscore", "zremrangebyscore", "zrange",
    ];

    private static IEnumerable<string> SingleRights => Rights.Except(["@connection", "eval", "evalsha"]);

    [Test]
    public async Task A_server_that_works_is_healthy_and_nothing_is_left_on_it()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server.ConfigurationString);
        var entry = await CheckAsync(app);
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Healthy));
        Assert.That(entry.Description, Is.EqualTo("Redis answers and runs scripts."));
        Assert.That(entry.Data["latency_ms"], Is.InstanceOf<double>().And.GreaterThan(0).And.LessThan(5000));
        Assert.That(entry.Data["servers"], Is.EqualTo(1));
        Assert.That(entry.Data["servers_connected"], Is.EqualTo(1));

        await using var admin = await AdminAsync(server);
        Assert.That(await admin.GetServers().Single().DatabaseSizeAsync(), Is.Zero);
    }

    [Test]
    public async Task It_writes_with_a_script_so_that_what_keeps_sessions_from_it_is_noticed()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server.ConfigurationString);
        await using var admin = await AdminAsync(server);
        await admin.GetDatabase().ExecuteAsync("CONFIG", "RESETSTAT");
        await CheckAsync(app);
        var statistics = await admin.GetServers().Single().InfoAsync("commandstats");
        var commands = statistics.Single().Select(line => line.Key);
        string[] expected = ["cmdstat_hmget", "cmdstat_eval", "cmdstat_hset", "cmdstat_pexpire", "cmdstat_unlink", "cmdstat_zadd", "cmdstat_time"];
        Assert.That(commands, Is.SupersetOf(expected));
    }

    [Test]
    public async Task A_killed_server_is_unhealthy_and_one_that_is_back_healthy_again()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server.ConfigurationString);
        await CheckAsync(app);
        server.Kill();
        await UntilAsync(app, HealthStatus.Unhealthy);
        var entry = await CheckAsync(app);
        Assert.That(entry.Description, Is.EqualTo("No Redis server that accepts writes can be reached."));
        Assert.That(entry.Exception, Is.InstanceOf<RedisConnectionException>());
        Assert.That(entry.Data["servers_connected"], Is.Zero);

        await server.RestartAsync();
        await UntilAsync(app, HealthStatus.Healthy);
    }

    [TestCase(null, 5)]
    [TestCase(0.2, 0.2)]
    public async Task A_server_that_hangs_is_unhealthy_after_the_timeout(double? timeout, double seconds)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        var time = timeout is { } given ? TimeSpan.FromSeconds(given) : (TimeSpan?)null;
        await using var app = await StartAsync(server.ConfigurationString, checks => checks.AddRedisHashSession(timeout: time));
        await CheckAsync(app);
        server.Pause();
        var entry = await CheckAsync(app);
        server.Resume();
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(entry.Description, Is.EqualTo("Redis does not answer in time."));
        Assert.That(entry.Duration, Is.InRange(TimeSpan.FromSeconds(seconds * 0.9), TimeSpan.FromSeconds(seconds + 3)));
    }

    [Test]
    public async Task A_user_with_the_rights_of_sessions_is_enough()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await UseAclAsync(server, Rights);
        await using var app = await StartAsync($"redis://sessions:{Password}@{server.ConfigurationString}");
        Assert.That((await CheckAsync(app)).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    [Test]
    public async Task A_user_without_a_right_is_unhealthy_and_told_which_it_is([ValueSource(nameof(SingleRights))] string missing)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await UseAclAsync(server, Rights.Except([missing]));
        await using var app = await StartAsync($"redis://sessions:{Password}@{server.ConfigurationString}");
        var entry = await CheckAsync(app);
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(entry.Description, Is.EqualTo($"Redis answers, but its user has no permission for {missing}."));
        Assert.That(await KeysAsync(server), Is.Zero, "nothing is left behind, also where it cannot be removed");
    }

    [Test]
    public async Task All_rights_that_are_missing_are_told_at_once()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await UseAclAsync(server, Rights.Except(["hmget", "hset", "zadd", "time"]));
        await using var app = await StartAsync($"redis://sessions:{Password}@{server.ConfigurationString}");
        Assert.That((await CheckAsync(app)).Description, Is.EqualTo("Redis answers, but its user has no permission for hset, hmget, time, zadd."));
    }

    [Test]
    public async Task A_user_without_scripts_is_unhealthy_and_the_code_says_so()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await UseAclAsync(server, Rights.Except(["eval", "evalsha"]));
        await using var app = await StartAsync($"redis://sessions:{Password}@{server.ConfigurationString}");
        Assert.That((await CheckAsync(app)).Description, Is.EqualTo("Redis answers, but the scripts that sessions need are refused (NOPERM)."));
    }

    [Test]
    public async Task What_handlers_need_is_looked_at_where_there_are_handlers([Values("get", "set", "setex", "psetex")] string missing)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await UseAclAsync(server, [.. Rights, .. ((string[])["get", "set", "setex", "psetex"]).Except([missing])]);
        string configuration = $"redis://sessions:{Password}@{server.ConfigurationString}";
        await using (var app = await StartAsync(configuration)) Assert.That((await CheckAsync(app)).Status, Is.EqualTo(HealthStatus.Healthy));
        await using var listening = await TestApp.StartAsync(services =>
        {
            services.AddSingleton<ISessionLifecycle>(new RecordedEvents());
            services.AddRedisHashSession(options => (options.Configuration, options.KeyPrefix) = (configuration, "app:"));
            services.AddHealthChecks().AddRedisHashSession();
        });
        Assert.That((await CheckAsync(listening)).Description, Is.EqualTo($"Redis answers, but its user has no permission for {missing}."));
    }

    [Test]
    public async Task Replicas_that_are_waited_for_and_not_there_are_unhealthy()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await TestApp.StartAsync(services =>
        {
            services.AddRedisHashSession(options => (options.Configuration, options.WaitForReplicas) = (server.ConfigurationString, 1));
            services.AddHealthChecks().AddRedisHashSession();
        });
        var entry = await CheckAsync(app);
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(entry.Description, Does.Contain("only 0 of the 1 replicas required by WaitForReplicas follow"));
    }

    [Test]
    public async Task TLS_that_does_not_come_about_is_not_called_a_wrong_password([Values] bool portSpeaksTls)
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var tls = new UntrustedTlsPort();
        string address = portSpeaksTls ? tls.Address : server.ConfigurationString;
        await using var app = await StartAsync($"{address},ssl=true,user=sessions,password={Password}");
        var entry = await CheckAsync(app);
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Unhealthy));

        // A plain port says nothing to a TLS greeting.
        Assert.That(entry.Description, portSpeaksTls
            ? Is.EqualTo("The TLS handshake failed: the server's certificate is not trusted, or its port does not speak TLS.")
            : Is.EqualTo("No Redis server that accepts writes can be reached.").Or.EqualTo("Redis does not answer in time."));
    }

    [Test]
    public async Task The_key_is_one_under_the_prefix()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await UseAclAsync(server, Rights);
        await using var app = await StartAsync($"redis://sessions:{Password}@{server.ConfigurationString}", keyPrefix: "other:");
        Assert.That((await CheckAsync(app)).Description, Is.EqualTo("Redis answers, but reading sessions is refused (NOPERM)."));
    }

    [Test]
    public async Task A_replica_is_unhealthy()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(server.ConfigurationString);
        await CheckAsync(app);
        await using var admin = await AdminAsync(server);
        await admin.GetDatabase().ExecuteAsync("REPLICAOF", "127.0.0.1", "1");
        var entry = await CheckAsync(app);
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(
            entry.Description,
            Is.EqualTo("Redis is read-only, like a replica (READONLY).").Or.EqualTo("No Redis server that accepts writes can be reached."));
    }

    [Test]
    public async Task A_server_without_memory_is_unhealthy()
    {
        await using var server = await ServerProcess.StartAsync(kind, "--maxmemory-policy", "noeviction", "--maxmemory", "1");
        await using var app = await StartAsync(server.ConfigurationString);
        Assert.That((await CheckAsync(app)).Description, Is.EqualTo("Redis has no memory left for writes (OOM)."));
    }

    [Test]
    public async Task Name_status_and_tags_are_those_that_were_given()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await using var app = await StartAsync(
            server.ConfigurationString, checks => checks.AddRedisHashSession("sessions", HealthStatus.Degraded, ["ready"]));
        server.Kill();
        await UntilAsync(app, HealthStatus.Degraded, "sessions");
        Assert.That((await ReportAsync(app)).Entries["sessions"].Tags, Is.EqualTo(["ready"]));
    }

    [Test]
    public async Task A_wrong_password_is_unhealthy_and_not_shown()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await UseAclAsync(server, Rights);
        await using var app = await StartAsync($"redis://sessions:wrong-{Password}@{server.ConfigurationString}");

        var entry = await CheckAsync(app);
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(entry.Description, Is.EqualTo("Redis does not accept the user and password (WRONGPASS)."));
        Assert.That(JsonSerializer.Serialize(entry.Data) + entry.Description + entry.Exception, Does.Not.Contain(Password));
    }

    [Test]
    public async Task A_connection_that_cannot_be_made_is_unhealthy()
    {
        await using var app = await TestApp.StartAsync(services => services
            .AddRedisHashSession(options => options.ConnectionMultiplexerFactory = () => throw new InvalidOperationException("secret"))
            .AddHealthChecks().AddRedisHashSession());
        var entry = await CheckAsync(app);
        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(entry.Description, Is.EqualTo("No Redis server that accepts writes can be reached."));
    }

    private static async Task<HealthReportEntry> CheckAsync(TestApp app) => (await ReportAsync(app)).Entries["redis-session"];

    private static Task<HealthReport> ReportAsync(TestApp app) => app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

    private static Task UntilAsync(TestApp app, HealthStatus status, string name = "redis-session") =>
        Until.TrueAsync($"it is {status}", async () => (await ReportAsync(app)).Entries[name].Status == status);

    // The default user is off, so a last word as somebody new.
    private static async Task<long> KeysAsync(ServerProcess server)
    {
        await using var admin = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString + ",user=admin,password=admin,allowAdmin=true");
        return await admin.GetServers().Single().DatabaseSizeAsync();
    }

    private static async Task<ConnectionMultiplexer> AdminAsync(ServerProcess server) =>
        await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString + ",allowAdmin=true");

    private static async Task UseAclAsync(ServerProcess server, IEnumerable<string> commands)
    {
        await using var admin = await AdminAsync(server);
        object[] user = ["SETUSER", "sessions", "on", $">{Password}", "resetkeys", "~app:sessions:*", "~app:users:*", "~app:owners:*", "resetchannels", "-@all"];
        await admin.GetDatabase().ExecuteAsync("ACL", [.. user, .. commands.Select(name => "+" + name)]);
        await admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", "admin", "on", ">admin", "~*", "&*", "+@all");
        await admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", "default", "off");
    }

    private static Task<TestApp> StartAsync(string configuration, Action<IHealthChecksBuilder>? add = null, string keyPrefix = "app:") =>
        TestApp.StartAsync(services =>
        {
            services.AddRedisHashSession(options => (options.Configuration, options.KeyPrefix) = (configuration, keyPrefix));
            (add ?? (checks => checks.AddRedisHashSession()))(services.AddHealthChecks());
        });
}
