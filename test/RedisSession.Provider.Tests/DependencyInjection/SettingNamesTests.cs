using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Moq;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A name that nobody reads never goes by in silence: in a section of ours it stops the start, and where others have names too, one that is
/// nearly ours is a warning.
/// </summary>
internal sealed class SettingNamesTests
{
    [TestCase("ProtectValeus", "ProtectValues"), TestCase("protectvalue", "ProtectValues"), TestCase("AbsoluteTimout", "AbsoluteTimeout")]
    [TestCase("IdelTimeout", "IdleTimeout"), TestCase("Cookie:Nam", "Cookie:Name")]
    [TestCase("Cookie:Secure", "Cookie:SecurePolicy")]
    [TestCase("Cookie:SecurePolicy:Always", "Cookie:SecurePolicy")]
    [TestCase("Cokie:Name", "Cookie:Name"), TestCase("CookieName", "Cookie:Name"), TestCase("Cookie", "Cookie:Name")]
    [TestCase("KeyPrefix:Text", "KeyPrefix"), TestCase("Absolute", "AbsoluteTimeout"), TestCase("Konfiguration", "Configuration")]
    [TestCase("Konfiguration:Host", "Configuration")]
    [TestCase("SESSION_EXPIRES", "SESSION_EXPIRE"), TestCase("session-expires", "session-expire")]
    public async Task Unknown_name_in_a_section_of_ours_stops_the_start_and_the_nearest_is_named(string name, string nearest)
    {
        (string, string)[] settings = [("App:Session:Configuration", "localhost"), ($"App:Session:{name}", "secret")];
        string refusal = await Application.RefusalAsync(InMemorySettings.Of(settings).GetSection("App:Session"));
        Assert.That(refusal, Is.EqualTo($"There is no setting App:Session:{name}: the nearest is App:Session:{nearest}."));

        settings = [("SESSION_REDIS", "localhost"), ($"RedisHashSession:{name}", "secret")];
        refusal = await Application.RefusalAsync(InMemorySettings.Of(settings));
        Assert.That(refusal, Is.EqualTo($"There is no setting RedisHashSession:{name}: the nearest is RedisHashSession:{nearest}."));
    }

    [Test]
    public void All_that_is_wrong_is_named_at_once()
    {
        var section = InMemorySettings.Of(
            ("Session:Configuration", "localhost"), ("Session:ProtectValeus", "true"), ("Session:IdelTimeout", "00:01:00"),
            ("Session:Cookie:Nam", "sid"), ("Session:Mode", "fast")).GetSection("Session");
        var error = Assert.Throws<OptionsValidationException>(() => SessionConfiguration.Apply(section, new()))!;
        Assert.That(error.Failures, Has.Exactly(4).Items);
    }

    [Test]
    public async Task Names_are_those_of_json_too()
    {
        const string json = """{ "Session": { "Configuration": "localhost", "ProtectValeus": true, "Cookie": { "Nam": "sid" } } }""";
        string refusal = await Application.RefusalAsync(InMemorySettings.OfJson(json).GetSection("Session"));
        Assert.That(refusal, Does.Contain("Session:ProtectValues").And.Contains("Session:Cookie:Name"));
    }

    [Test]
    public void An_option_that_only_code_can_set_is_named_as_such([ValueSource(nameof(InCode))] string option)
    {
        var section = InMemorySettings.Of(($"Session:{option}", "x"), ($"Session:{option}:Inner", "y")).GetSection("Session");
        var error = Assert.Throws<OptionsValidationException>(() => SessionConfiguration.Apply(section, new()))!;
        Assert.That(error.Failures, Is.All.Contains($"{option} is an option that only code can set"));
        Assert.That(error.Failures, Has.Exactly(2).Items);
    }

    private static IEnumerable<string> InCode => SessionConfiguration.InCode;

    [Test]
    public void Every_option_is_a_setting_or_for_code_only()
    {
        var options = typeof(RedisHashSessionOptions).GetMembers(BindingFlags.Public | BindingFlags.Instance)
            .Where(member => member.DeclaringType != typeof(object))
            .Where(member => member is PropertyInfo or MethodInfo { IsSpecialName: false })
            .Select(member => member.Name);
        var settings = SessionSetting.DotNet.Select(setting => setting.Name.Split(':')[0]).Distinct();
        Assert.That(settings.Concat(SessionConfiguration.InCode), Is.EquivalentTo(options));
    }

    /// <summary>What is read, and what is none of our business.</summary>
    [Test]
    public void Nothing_else_is_refused()
    {
        (string, string)[] all =
        [
            .. SettingRow.DotNet.Select(row => ($"Session:{row.Name.ToUpperInvariant()}", row.Text)),
            .. SettingRow.Seed.SelectMany(row => new[] { ($"Session:{row.Name}", row.Text), ($"Session:{row.Switch[2..]}", row.Text) }),
            ("Session:Configuration:EndPoints:0", "somebody binds ConfigurationOptions to this"), ("Session:Configuration:Ssl", "true"),
            ("Sessions:ProtectValeus", "true"), ("ProtectValeus", "true"), ("Cookie:Nam", "sid"), ("Logging:LogLevel:Default", "Warning"),
        ];
        var configuration = InMemorySettings.Of(all);
        Assert.That(() => SessionConfiguration.Apply(configuration.GetSection("Session"), new()), Throws.Nothing);
        Assert.That(() => SessionConfiguration.Apply(configuration, new()), Throws.Nothing);
        var withoutOurs = InMemorySettings.Of(("Logging:LogLevel:Default", "Warning"));
        Assert.That(() => SessionConfiguration.Apply(withoutOurs, new()), Throws.Nothing);
    }

    [Test]
    public void A_Configuration_that_is_bound_for_something_else_is_left_alone()
    {
        var section = InMemorySettings.Of(("Session:KeyPrefix", "app:"), ("Session:Configuration:Host", "one")).GetSection("Session");
        var options = new RedisHashSessionOptions();
        SessionConfiguration.Apply(section, options);
        Assert.That((options.KeyPrefix, options.Configuration), Is.EqualTo(("app:", (string?)null)));
    }

    // Some sources have an empty section as an empty text, others as none.
    [Test]
    public void An_empty_Cookie_is_no_unknown_name([Values("", null)] string? text)
    {
        var settings = new Dictionary<string, string?> { ["Session:KeyPrefix"] = "app:", ["Session:Cookie"] = text };
        var section = new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("Session");
        Assert.That(() => SessionConfiguration.Apply(section, new()), Throws.Nothing);
    }

    [TestCase("Sesion", "{ \"IdleTimeout\": \"00:01:00\" }")]
    [TestCase("App:Session", "{ \"IdleTimeout\": \"00:01:00\" }")]
    [TestCase("Session", "{}"), TestCase("Session", "null"), TestCase("Session", "\"\""), TestCase("Session", "[]")]
    public async Task Section_that_is_given_and_empty_or_not_there_stops_the_start(string name, string session)
    {
        var section = InMemorySettings.OfJson($$"""{ "Session": {{session}} }""").GetSection(name);
        string refusal = await Application.RefusalAsync(services => services.AddRedisHashSession("localhost").AddRedisHashSession(section));
        Assert.That(refusal, Does.StartWith($"The section {name} that AddRedisHashSession was given is empty or missing: "));
    }

    [Test]
    public async Task Text_in_the_place_of_a_section_stops_the_start_and_does_not_show()
    {
        var configuration = InMemorySettings.Of(
            ("ConnectionStrings:Redis", "redis://:hunter2@localhost"), ("RedisHashSession", "redis://:hunter2@localhost"));
        foreach (var given in new[] { configuration, (IConfiguration)configuration.GetSection("ConnectionStrings:Redis") })
        {
            string refusal = await Application.RefusalAsync(given);
            Assert.That(refusal, Does.Contain("is a single value, not a section").And.Not.Contain(BadConfigurations.Password));
            Assert.That(refusal, Does.Match("(RedisHashSession|ConnectionStrings:Redis):Configuration"));
        }
    }

    [TestCase("SESSION_EXPIRES", "SESSION_EXPIRE"), TestCase("SESION_REDIS", "SESSION_REDIS")]
    [TestCase("SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_HTTP_ONLY")]
    [TestCase("SESSION_COOKIE_SECRUE", "SESSION_COOKIE_SECURE")]
    [TestCase("session-expires", "session-expire")]
    [TestCase("session-cookie_id", "SESSION_COOKIE_ID")]
    [TestCase("session_redis_prefixx", "SESSION_REDIS_PREFIX")]
    [TestCase("SESSION:EXPIRE", "SESSION_EXPIRE", "SESSION__EXPIRE")] // what the environment makes of two underscores
    [TestCase("RedisHashSesion:ProtectValues", "RedisHashSession", "RedisHashSesion")]
    [TestCase("REDISHASHSESSIONS:ProtectValues", "RedisHashSession", "REDISHASHSESSIONS")]
    public async Task Name_at_the_root_that_is_nearly_ours_is_a_warning_at_the_start(string name, string meant, string? named = null)
    {
        var logs = await StartAsync((name, "hunter2"), ("SESSION_COOKIE_SECURE", "true"));
        var warning = logs.Of(SessionEvents.SettingNearlyOurs).Single();
        Assert.That(warning.Level, Is.EqualTo(LogLevel.Warning));
        Assert.That(warning.Message, Does.Contain($"the setting {named ?? name}. Did you mean {meant}?"));
        Assert.That(logs.All.Select(entry => entry.Message), Has.None.Contains(BadConfigurations.Password));
    }

    [TestCase("SESSION_EXPIRE", "60"), TestCase("session_expire", "60"), TestCase("SESSION_MANAGER", "local/unix")]
    [TestCase("SESSION_ID", "x"), TestCase("SESSION_COOKIE_NAME", "x"), TestCase("SESSION_EXPIRES", ""), TestCase("Session:Expire", "60")]
    [TestCase("Session:Redis", "localhost"), TestCase("Other:SESSION_EXPIRES", "60"), TestCase("RedisHashCache:InstanceName", "x")]
    [TestCase("RedisHashSession:KeyPrefix", "x"), TestCase("RedisHashSesion", "a text")]
    public async Task Other_names_are_nobodys_business(string name, string text) =>
        Assert.That((await StartAsync((name, text))).Of(SessionEvents.SettingNearlyOurs), Is.Empty);

    [Test]
    public async Task Each_is_named_once_however_often_sessions_are_added()
    {
        var configuration = InMemorySettings.Of(("SESSION_EXPIRES", "60"));
        var logs = await StartAsync(services => services.AddRedisHashSession(configuration).AddRedisHashSession(configuration));
        Assert.That(logs.Of(SessionEvents.SettingNearlyOurs), Has.Exactly(1).Items);
    }

    [Test]
    public async Task Message_that_no_redis_is_known_says_where_it_was_looked_for()
    {
        var nothing = InMemorySettings.Of();
        var prefix = InMemorySettings.Of(("App:Session:KeyPrefix", "x")).GetSection("App:Session");
        string whole = await Application.RefusalAsync(nothing);
        string section = await Application.RefusalAsync(prefix);
        string both = await Application.RefusalAsync(services => services.AddRedisHashSession(nothing).AddRedisHashSession(prefix));
        string none = await Application.RefusalAsync(services => services.AddRedisHashSession(options => options.KeyPrefix = "x"));

        const string ofWhole = "RedisHashSession:Configuration, RedisHashSession:ServiceKey, SESSION_REDIS, session-redis";
        const string ofSection = "App:Session:Configuration, App:Session:ServiceKey, App:Session:SESSION_REDIS, App:Session:session-redis";
        Assert.That(whole, Does.Contain("does not know which Redis to use").And.Contains($"looked in the configuration for {ofWhole}:"));
        Assert.That(section, Does.Contain($"It looked in the configuration for {ofSection}:"));
        Assert.That(both, Does.Contain($"It looked in the configuration for {ofWhole}, {ofSection}:"));
        Assert.That(none, Does.Contain("It was given no configuration to look in: AddRedisHashSession(builder.Configuration) reads "));
    }

    private static Task<RecordedLogs> StartAsync(params (string, string)[] settings) =>
        StartAsync(services => services.AddRedisHashSession(InMemorySettings.Of(settings)));

    private static Task<RecordedLogs> StartAsync(Action<IServiceCollection> configure) => Application.RunAsync(services =>
    {
        services.AddSingleton(Mock.Of<IConnectionMultiplexer>(one => one.Configuration == "localhost"));
        configure(services);
    });
}
