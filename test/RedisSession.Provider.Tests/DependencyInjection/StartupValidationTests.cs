using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Moq;

namespace RedisSession.Provider.Tests;

/// <summary>An application whose options cannot work does not start, and says which option and what to do about it.</summary>
internal sealed class StartupValidationTests
{
    private static IEnumerable<TestCaseData> BadOptions =>
    [
        Bad("KeyPrefix is null", "use \"\" for none", options => options.KeyPrefix = null!),
        Bad("KeyPrefix holds half of a surrogate pair", "whole characters", options => options.KeyPrefix = "app\ud83d:"),
        Bad("KeyPrefix holds half of a surrogate pair", "whole characters", options => options.KeyPrefix = "\ude00\ud83d"),
        Bad("KeyPrefix is '{}:'", "no braces, or text in a pair", options => options.KeyPrefix = "{}:"),
        Bad("KeyPrefix is 'x{}y:'", "such as {app}:", options => options.KeyPrefix = "x{}y:"),
        Bad("KeyPrefix is 'a}b:'", "such as {app}:", options => options.KeyPrefix = "a}b:"),
        Bad("KeyPrefix is 'a{b:'", "such as {app}:", options => options.KeyPrefix = "a{b:"),
        Bad("KeyPrefix is '}{:'", "such as {app}:", options => options.KeyPrefix = "}{:"),
        Bad("TakeOverSessions holds half of a surrogate pair", "whole characters", options => options.TakeOverSessions("\ud83d")),
        Bad("Mode is 2", "use Buffered or Live", options => options.Mode = (RedisSessionMode)2),
        Bad("FailureMode is -1", "use LogAndContinue or Throw", options => options.FailureMode = (FailureMode)(-1)),
        Bad("IdleTimeout is 00:00:00", "one millisecond or more", options => options.IdleTimeout = TimeSpan.Zero),
        Bad("IdleTimeout is -00:20:00", "one millisecond or more", options => options.IdleTimeout = TimeSpan.FromMinutes(-20)),
        Bad("IdleTimeout is 00:00:00.0009999", "one millisecond or more", options => options.IdleTimeout = TimeSpan.FromTicks(9_999)),
        Bad("IOTimeout is 00:00:00", "one millisecond or more", options => options.IOTimeout = TimeSpan.Zero),
        Bad("IOTimeout is -00:00:01", "InfiniteTimeSpan", options => options.IOTimeout = TimeSpan.FromSeconds(-1)),
        Bad("IOTimeout is 24.20:31:23.6480000", "24 days or less", options => options.IOTimeout = new(0, 0, 0, 0, int.MaxValue, 1000)),
        Bad("IOTimeout is 10675199.02:48:05.4775807", "InfiniteTimeSpan", options => options.IOTimeout = TimeSpan.MaxValue),
        Bad("RefreshInterval is -00:00:01", "zero to refresh", options => options.RefreshInterval = TimeSpan.FromSeconds(-1)),
        Bad("AbsoluteTimeout is 00:00:00", "null for none", options => options.AbsoluteTimeout = TimeSpan.Zero),
        Bad("AbsoluteTimeout is -08:00:00", "null for none", options => options.AbsoluteTimeout = TimeSpan.FromHours(-8)),
        Bad("OutageTolerance is -00:00:01", "0 for none", options => options.OutageTolerance = TimeSpan.FromSeconds(-1)),
        Bad("OutageTolerance is 10675199.02:48:05.4775807", "24 days or less", options => options.OutageTolerance = TimeSpan.MaxValue),
        Bad("MaxPendingEvents is 0", "1 or more", options => options.MaxPendingEvents = 0),
        Bad("TakeOverSessionsFromDistributedCache is called, but", "keep the one", options => options.TakeOverSessionsFromDistributedCache()),
        Bad("are both called", "call the one", options =>
        {
            options.TakeOverSessions("shop:");
            options.TakeOverSessionsFromDistributedCache();
        }),
        Bad("Cookie.Name is 'my session'", "letters, digits", options => options.Cookie.Name = "my session"),
        Bad("Cookie.Name is 'a;b'", "letters, digits", options => options.Cookie.Name = "a;b"),
        Bad("Cookie.Name is 'größe'", "letters, digits", options => options.Cookie.Name = "größe"),
        Bad("Cookie.Name is missing", "give the cookie a name", options => options.Cookie = new()),
        Bad("Cookie.MaxAge is 00:00:00", "null for none", options => options.Cookie.MaxAge = TimeSpan.Zero),
        Bad("Cookie.MaxAge is -00:20:00", "more than zero", options => options.Cookie.MaxAge = TimeSpan.FromMinutes(-20)),
        Bad("Configuration names no server", "localhost:6379", options => options.Configuration = "ssl=true"),
        Bad("Configuration: ", "redis://", options => options.Configuration = "http://localhost"),
        Bad("Configuration: ", "see 'pasword'", options => options.Configuration = "localhost,pasword=x"),
        Bad("ConfigurationOptions names no server", "localhost:6379", options => options.ConfigurationOptions = new()),
        Bad("ServiceKey is 'missing'", "AddKeyedSingleton", options => (options.Configuration, options.ServiceKey) = (null, "missing")),
    ];

    private static IEnumerable<string> BadConnections =>
        BadConfigurations.Urls.Concat(BadConfigurations.StackExchangeSyntax).Select(row => row[0])
            .Concat(BadConfigurations.UserAtServer)
            .Append("me:hunter2=x@localhost"); // passes for an option whose name is a piece of the password

    [TestCaseSource(nameof(BadOptions))]
    public Task Bad_option_stops_the_start_and_says_what_to_do(string name, string remedy, Action<RedisHashSessionOptions> set) =>
        Application.RefusesAsync(
            services => services.AddRedisHashSession("localhost").AddRedisHashSession(set), Does.Contain(name).And.Contains(remedy));

    // Also where the host is not a web application, and where no session is ever used.
    [Test]
    public async Task Bad_option_stops_the_start_of_a_plain_host()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddRedisHashSession(options => options.KeyPrefix = null!);
        using var host = builder.Build();
        await Assert.ThatAsync(() => host.StartAsync(), Throws.TypeOf<OptionsValidationException>());
    }

    [Test]
    public async Task All_that_is_wrong_is_said_at_once()
    {
        string refusal = await Application.RefusalAsync(services => services.AddRedisHashSession(options =>
            (options.KeyPrefix, options.IdleTimeout, options.IOTimeout) = (null!, TimeSpan.Zero, TimeSpan.Zero)));
        string[] wrong = ["KeyPrefix", "IdleTimeout", "IOTimeout", "which Redis to use"];
        Assert.That(wrong.Where(one => !refusal.Contains(one, StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task Each_fault_is_said_once_when_registered_twice()
    {
        string refusal = await Application.RefusalAsync(
            services => services.AddRedisHashSession("localhost").AddRedisHashSession(options => options.KeyPrefix = null!));
        Assert.That(refusal.Split("KeyPrefix is null"), Has.Length.EqualTo(2));
    }

    [Test]
    public Task Option_that_is_bad_in_SessionOptions_stops_the_start_too() => Application.RefusesAsync(
        services => services.AddRedisHashSession("localhost").Configure<SessionOptions>(options => options.IdleTimeout = TimeSpan.Zero),
        Does.Contain("IdleTimeout is 00:00:00"));

    [Test]
    public async Task Without_a_connection_the_message_says_all_five_ways()
    {
        string refusal = await Application.RefusalAsync(services => services.AddRedisHashSession());
        Assert.That(refusal, Does.Contain("1. Configuration:").And.Contains("redis://").And.Contains("2. ConfigurationOptions:"));
        Assert.That(refusal, Does.Contain("3. ConnectionMultiplexerFactory:").And.Contains("4. ServiceKey:"));
        Assert.That(refusal, Does.Contain("5. an IConnectionMultiplexer"));
    }

    [TestCaseSource(nameof(BadConnections))]
    public Task No_secret_shows_in_what_the_application_says(string configuration) => Application.RefusesAsync(
        services => services.AddRedisHashSession(configuration),
        Does.StartWith("Configuration: ").And.Not.Contain(configuration).And.Not.Contain(BadConfigurations.Password));

    [TestCaseSource(typeof(BadConfigurations), nameof(BadConfigurations.StackExchangeSyntax))]
    public async Task Client_syntax_that_does_not_parse_is_refused_with_the_option_that_is_wrong(string configuration, string option)
    {
        string refusal = await RefusalAsync(configuration);
        Assert.That(refusal, Does.Not.Contain($"'{option}'").And.Not.Contain(BadConfigurations.Password), "it could be a piece of the password");
        string withoutPassword = configuration.Replace("password=hunter2,", "", StringComparison.Ordinal);
        Assert.That(await RefusalAsync(withoutPassword), Does.Contain($"see '{option}'"));

        static Task<string> RefusalAsync(string configuration) =>
            Application.RefusalAsync(services => services.AddRedisHashSession(configuration));
    }

    [TestCaseSource(typeof(BadConfigurations), nameof(BadConfigurations.UserAtServer))]
    public Task User_in_front_of_a_servers_name_is_refused_with_the_way_to_write_it(string configuration) => Application.RefusesAsync(
        services => services.AddRedisHashSession(configuration), Does.Contain("'@'").And.Contains("redis://user:password@host:6379"));

    [Test]
    public async Task Nothing_is_opened_by_an_application_that_does_not_start()
    {
        bool opened = false;
        await Application.RefusalAsync(services => services.AddRedisHashSession(options =>
        {
            options.KeyPrefix = null!;
            options.ConnectionMultiplexerFactory = () =>
            {
                opened = true;
                return Task.FromException<IConnectionMultiplexer>(SessionWithoutRedis.Error);
            };
        }));
        Assert.That(opened, Is.False);
    }

    [Test]
    public async Task Application_starts_and_connects_at_once_when_its_options_work()
    {
        var opened = new TaskCompletionSource();
        await Application.RunAsync(
            services => services.AddRedisHashSession(options =>
            {
                options.IdleTimeout = TimeSpan.FromMilliseconds(1);
                options.AbsoluteTimeout = TimeSpan.FromMilliseconds(1);
                options.IOTimeout = Timeout.InfiniteTimeSpan;
                options.Cookie.Name = "__Host-sid.1!#$%&'*+^_`|~";
                options.ConnectionMultiplexerFactory = () =>
                {
                    opened.SetResult();
                    return Task.FromResult(Mock.Of<IConnectionMultiplexer>(one => one.Configuration == "localhost"));
                };
            }),
            _ => opened.Task.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Test]
    public Task Application_starts_while_redis_is_away() => Application.RunAsync(services => services.AddRedisHashSession(
        options => options.ConnectionMultiplexerFactory = () => Task.FromException<IConnectionMultiplexer>(SessionWithoutRedis.Error)));

    [TestCase(null), TestCase("sessions")]
    public Task Application_starts_with_a_connection_from_its_services(string? key) => Application.RunAsync(services => services
        .AddKeyedSingleton(key, Mock.Of<IConnectionMultiplexer>(one => one.Configuration == "localhost"))
        .AddRedisHashSession(options => options.ServiceKey = key));

    private static TestCaseData Bad(string name, string remedy, Action<RedisHashSessionOptions> set) =>
        new TestCaseData(name, remedy, set).SetArgDisplayNames(name, remedy);
}
