using Moq;

namespace RedisSession.Provider.Tests;

/// <summary>Five sources of a connection; the first that is given is meant.</summary>
internal sealed class RedisConnectionChoiceTests
{
    private const string Key = "sessions";

    [Test]
    public async Task Factory_comes_before_all_others() =>
        Assert.That(await ForeignConnectionAsync(AllGiven()), Is.SameAs(Connections.FromFactory));

    [Test]
    public void Configuration_options_come_second_and_configuration_third()
    {
        var options = AllGiven();
        options.ConnectionMultiplexerFactory = null;
        Assert.That(OwnConnection(options)!.EndPoints, Is.EqualTo([new DnsEndPoint("options", 0)]));
        options.ConfigurationOptions = null;
        Assert.That(OwnConnection(options)!.EndPoints, Is.EqualTo([new DnsEndPoint("configuration", 0)]));
    }

    [Test]
    public async Task Keyed_service_comes_fourth() =>
        Assert.That(await ForeignConnectionAsync(new() { ServiceKey = Key }), Is.SameAs(Connections.FromKey));

    [Test]
    public async Task Plain_service_comes_last() => Assert.That(await ForeignConnectionAsync(new()), Is.SameAs(Connections.FromServices));

    [Test]
    public void Empty_configuration_is_none([Values(null, "", " \n")] string? configuration) =>
        Assert.That(OwnConnection(new() { Configuration = configuration }), Is.Null);

    [Test]
    public void Configuration_may_be_client_syntax_or_url([Values(
        "configuration:7000,password=secret,defaultDatabase=2", "redis://:secret@configuration:7000/2",
        " redis://:secret@configuration:7000/2\n")] string configuration)
    {
        var own = OwnConnection(new() { Configuration = configuration })!;
        Assert.That(own.EndPoints, Is.EqualTo([new DnsEndPoint("configuration", 7000)]));
        Assert.That((own.Password, own.DefaultDatabase), Is.EqualTo(("secret", (int?)2)));
    }

    // "host1,host2" is how StackExchange.Redis names a cluster or a set of Sentinels.
    [Test]
    public void Configuration_may_name_several_servers()
    {
        var own = OwnConnection(new() { Configuration = "one:26379,two:26379,serviceName=main" })!;
        Assert.That(own.EndPoints, Is.EqualTo([new DnsEndPoint("one", 26379), new DnsEndPoint("two", 26379)]));
        Assert.That(own.ServiceName, Is.EqualTo("main"));
    }

    [Test]
    public void Configuration_may_have_an_at_sign_where_it_is_no_user([Values(
        "localhost,password=p@ss,user=me@example.org,name=a@b", "!/run/redis@example.sock,password=p@ss")] string configuration) =>
        Assert.That(OwnConnection(new() { Configuration = configuration })!.Password, Is.EqualTo("p@ss"));

    [Test]
    public void Own_connection_comes_back_by_itself_and_keeps_commands_meanwhile_unless_nothing_is_to_wait([Values] bool waits)
    {
        RedisHashSessionOptions[] each =
        [
            new() { Configuration = "localhost" },
            new() { Configuration = "localhost,abortConnect=true" },
            new() { Configuration = "redis://localhost" },
            new() { Configuration = "unix:/run/redis.sock" },
            new() { ConfigurationOptions = new() { AbortOnConnectFail = true, BacklogPolicy = BacklogPolicy.Default } },
        ];

        foreach (var options in each)
        {
            if (!waits) options.OutageTolerance = TimeSpan.Zero;
            var own = OwnConnection(options)!;
            Assert.That(own.AbortOnConnectFail, Is.False, options.Configuration);
            Assert.That(own.BacklogPolicy, Is.SameAs(waits ? BacklogPolicy.Default : BacklogPolicy.FailFast), options.Configuration);
        }
    }

    [Test]
    public void A_policy_that_the_application_has_chosen_stays([Values(0, 5)] int tolerance)
    {
        var chosen = new BacklogPolicy { QueueWhileDisconnected = true, AbortPendingOnConnectionFailure = true };
        foreach (var policy in (BacklogPolicy[])[chosen, BacklogPolicy.FailFast])
        {
            var options = new RedisHashSessionOptions
            {
                ConfigurationOptions = new() { BacklogPolicy = policy },
                OutageTolerance = TimeSpan.FromSeconds(tolerance),
            };
            Assert.That(OwnConnection(options)!.BacklogPolicy, Is.SameAs(policy));
        }
    }

    [Test]
    public void Given_configuration_options_are_copied_and_never_changed()
    {
        var given = new ConfigurationOptions
        {
            EndPoints = { { "options", 7000 } },
            User = "me",
            Password = "secret",
            Ssl = true,
            AbortOnConnectFail = true,
            BacklogPolicy = BacklogPolicy.Default,
            AsyncTimeout = 1234,
        };
        string before = given.ToString(includePassword: true);

        var own = OwnConnection(new() { ConfigurationOptions = given })!;
        own.EndPoints.Add("another", 7001);
        Assert.That(own, Is.Not.SameAs(given));
        Assert.That((own.Password, own.AsyncTimeout), Is.EqualTo(("secret", 1234)));
        Assert.That(given.ToString(includePassword: true), Is.EqualTo(before));
        Assert.That((given.AbortOnConnectFail, given.EndPoints.Count), Is.EqualTo((true, 1)));
        Assert.That(given.BacklogPolicy, Is.SameAs(BacklogPolicy.Default));
    }

    private static RedisHashSessionOptions AllGiven() => new()
    {
        ConnectionMultiplexerFactory = () => Task.FromResult(Connections.FromFactory),
        ConfigurationOptions = new() { EndPoints = { "options" } },
        Configuration = "configuration",
        ServiceKey = Key,
    };

    private static ConfigurationOptions? OwnConnection(RedisHashSessionOptions options) =>
        RedisConnectionChoice.OwnConnection(RedisConnectionSettings.Of(options));

    /// <summary>Of all services that there could be; there is no connection of our own beside it.</summary>
    private static Task<IConnectionMultiplexer> ForeignConnectionAsync(RedisHashSessionOptions options)
    {
        Assert.That(OwnConnection(options), Is.Null);
        return RedisConnectionChoice.ForeignConnectionAsync(RedisConnectionSettings.Of(options), new ServiceCollection()
            .AddKeyedSingleton(Key, Connections.FromKey)
            .AddKeyedSingleton("other", Mock.Of<IConnectionMultiplexer>())
            .AddSingleton(Connections.FromServices)
            .BuildServiceProvider());
    }

    private static class Connections
    {
        public static readonly IConnectionMultiplexer FromFactory = Mock.Of<IConnectionMultiplexer>();
        public static readonly IConnectionMultiplexer FromKey = Mock.Of<IConnectionMultiplexer>();
        public static readonly IConnectionMultiplexer FromServices = Mock.Of<IConnectionMultiplexer>();
    }
}
