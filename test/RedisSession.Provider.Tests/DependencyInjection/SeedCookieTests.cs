using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Moq;

namespace RedisSession.Provider.Tests;

/// <summary>Where redis-session's names are in use and nothing says whether the cookie is Secure, it is, as with Flask there.</summary>
internal sealed class SeedCookieTests
{
    private static IEnumerable<SettingRow> OtherSeed => SettingRow.Seed.Where(row => row.Name != "SESSION_COOKIE_SECURE");

    [Test]
    public async Task Cookie_is_Secure_and_the_log_says_so([ValueSource(nameof(OtherSeed))] SettingRow row)
    {
        foreach (string name in (string[])[row.Name, row.Switch[2..], $"Session:{row.Name}"])
        {
            var configuration = InMemorySettings.Of((name, row.Text));
            bool isInSection = name.StartsWith("Session:", StringComparison.Ordinal);
            IConfiguration given = isInSection ? configuration.GetSection("Session") : configuration;
            var (policy, told) = await StartAsync(services => services.AddRedisHashSession(given));
            Assert.That((policy, told.Single().Level), Is.EqualTo((CookieSecurePolicy.Always, LogLevel.Information)), name);
        }
    }

    private static IEnumerable<TestCaseData> Others =>
    [
        Other("nothing is set", CookieSecurePolicy.None, []),
        Other("names are .NET's", CookieSecurePolicy.None, [("RedisHashSession:KeyPrefix", "app:")]),
        Other("it is false", CookieSecurePolicy.None, [("SESSION_EXPIRE", "60"), ("SESSION_COOKIE_SECURE", "false")]),
        Other("it is true", CookieSecurePolicy.Always, [("SESSION_EXPIRE", "60"), ("session-cookie-secure", "true")]),
        Other(".NET's name says it", CookieSecurePolicy.None, [("SESSION_EXPIRE", "60"), ("RedisHashSession:Cookie:SecurePolicy", "None")]),
        Other(
            "code has said it before", CookieSecurePolicy.SameAsRequest, [("SESSION_EXPIRE", "60")],
            before: options => options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest),
        Other(
            "code says it afterwards", CookieSecurePolicy.None, [("SESSION_EXPIRE", "60")],
            after: options => options.Cookie.SecurePolicy = CookieSecurePolicy.None),
        Other("names of redis-session are empty", CookieSecurePolicy.None, [("SESSION_EXPIRE", "")]),
    ];

    [TestCaseSource(nameof(Others))]
    public async Task It_is_as_ever_where(CookieSecurePolicy expected, Action<IServiceCollection> configure)
    {
        var (policy, told) = await StartAsync(configure);
        Assert.That((policy, told.Count), Is.EqualTo((expected, 0)));
    }

    [Test]
    public async Task An_empty_SESSION_COOKIE_SECURE_says_nothing()
    {
        var (policy, told) = await StartAsync(services =>
            services.AddRedisHashSession(InMemorySettings.Of(("SESSION_EXPIRE", "60"), ("SESSION_COOKIE_SECURE", ""))));
        Assert.That((policy, told.Count), Is.EqualTo((CookieSecurePolicy.Always, 1)));
    }

    [Test]
    public async Task It_is_said_once_however_often_sessions_are_added()
    {
        var configuration = InMemorySettings.Of(("SESSION_EXPIRE", "60"));
        var (_, told) = await StartAsync(services => services.AddRedisHashSession(configuration).AddRedisHashSession(configuration));
        Assert.That(told, Has.Exactly(1).Items);
    }

    private static TestCaseData Other(
        string what, CookieSecurePolicy expected, (string, string)[] settings,
        Action<SessionOptions>? before = null, Action<RedisHashSessionOptions>? after = null)
    {
        Action<IServiceCollection> configure = services =>
        {
            if (before is not null) services.Configure(before);
            services.AddRedisHashSession(InMemorySettings.Of(settings));
            if (after is not null) services.AddRedisHashSession(after);
        };
        return new TestCaseData(expected, configure).SetArgDisplayNames(what);
    }

    /// <summary>What the middleware reads, and what was said of it at the start.</summary>
    private static async Task<(CookieSecurePolicy Policy, IReadOnlyList<RecordedLogs.Entry> Told)> StartAsync(
        Action<IServiceCollection> configure)
    {
        CookieSecurePolicy policy = default;
        var logs = await Application.RunAsync(
            services =>
            {
                configure(services);
                services.Configure<RedisHashSessionOptions>(options => (options.Configuration, options.ConnectionMultiplexerFactory) = (
                    null, () => Task.FromResult(Mock.Of<IConnectionMultiplexer>(one => one.Configuration == "localhost"))));
            },
            services =>
            {
                policy = services.GetRequiredService<IOptions<SessionOptions>>().Value.Cookie.SecurePolicy;
                return Task.CompletedTask;
            });
        return (policy, logs.Of(SessionEvents.SecureAsInSeed));
    }
}
