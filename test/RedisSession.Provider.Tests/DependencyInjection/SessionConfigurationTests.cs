using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Tests;

internal sealed class SessionConfigurationTests
{
    private static IEnumerable<SettingRow> Seed => SettingRow.Seed;

    private static IEnumerable<SettingRow> DotNet => SettingRow.DotNet;

    [Test]
    public void Every_setting_is_in_the_tables()
    {
        Assert.That(Seed.Select(row => row.Name), Is.EquivalentTo(SessionSetting.Seed.Select(setting => setting.Name)));
        Assert.That(Seed.Count(), Is.EqualTo(8));
        Assert.That(DotNet.Select(row => row.Name), Is.EquivalentTo(SessionSetting.DotNet.Select(setting => setting.Name)));
    }

    [Test]
    public void No_row_expects_the_default() =>
        Assert.That(Seed.Concat(DotNet).Where(row => Equals(row.Read(new()), row.Expected)), Is.Empty);

    // Turkish, where I and i are two letters in any case.
    [Test]
    public void Seed_setting_is_read_from(
        [Values("configuration", "environment", "command line", "command line with =")] string source,
        [ValueSource(nameof(Seed))] SettingRow row,
        [Values("en-US", "tr-TR")] string culture)
    {
        using var scope = new CultureScope(culture);
        var configuration = source switch
        {
            "configuration" => InMemorySettings.Of((row.Name, row.Text)),
            "environment" => FromEnvironment(row),
            "command line" => new ConfigurationBuilder().AddCommandLine([row.Switch, row.Text]).Build(),
            _ => new ConfigurationBuilder().AddCommandLine([$"{row.Switch}={row.Text}"]).Build(),
        };
        Assert.That(row.Read(Options(configuration)), Is.EqualTo(row.Expected));
    }

    private static IConfigurationRoot FromEnvironment(SettingRow row)
    {
        // The provider takes the prefix away, so that no other test sees the variable.
        string prefix = Guid.NewGuid().ToString("N") + "_";
        Environment.SetEnvironmentVariable(prefix + row.Name, row.Text);
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables(prefix).Build();
        Environment.SetEnvironmentVariable(prefix + row.Name, null);
        return configuration;
    }

    [Test]
    public void Words_are_read_in_any_case_on_a_turkish_server()
    {
        using var culture = new CultureScope("tr-TR");
        var options = Options(("RedisHashSession:Mode", "LIVE"), ("RedisHashSession:Cookie:SameSite", "STRICT"));
        Assert.That((options.Mode, options.Cookie.SameSite), Is.EqualTo((RedisSessionMode.Live, SameSiteMode.Strict)));
    }

    [TestCaseSource(nameof(DotNet))]
    public void DotNet_setting_is_read_from_a_section_and_at_the_root_is_somebody_elses(SettingRow row)
    {
        var section = InMemorySettings.Of(("Session:" + row.Name, row.Text)).GetSection("Session");
        Assert.That(row.Read(Options(section)), Is.EqualTo(row.Expected), "section that is given");
        Assert.That(row.Read(Options(("RedisHashSession:" + row.Name, row.Text))), Is.EqualTo(row.Expected), "default section");
        Assert.That(row.Read(Options((row.Name, row.Text))), Is.EqualTo(row.Read(new())), "root");
    }

    // An empty text is how compose files and pipelines say "not set".
    [TestCaseSource(nameof(Seed)), TestCaseSource(nameof(DotNet))]
    public void Empty_setting_says_nothing(SettingRow row) => Assert.That(
        row.Read(Options((row.Name, ""), ("RedisHashSession:" + row.Name, ""))), Is.EqualTo(row.Read(new())));

    [Test]
    public void Appsettings_json_is_read_as_a_person_writes_it()
    {
        const string AppSettings = """
            {
              "Logging": { "LogLevel": { "Default": "Warning" } },
              "Session": {
                "Configuration": "redis://one",
                "IdleTimeout": "01:00:00",
                "UseDedicatedThreads": false,
                "Cookie": { "Name": "sid", "SameSite": "None", "IsEssential": true }
              }
            }
            """;
        var options = Options(InMemorySettings.OfJson(AppSettings).GetSection("Session"));
        Assert.That(
            (options.Configuration, options.IdleTimeout, options.UseDedicatedThreads),
            Is.EqualTo(("redis://one", TimeSpan.FromHours(1), false)));
        Assert.That(
            (options.Cookie.Name, options.Cookie.SameSite, options.Cookie.IsEssential), Is.EqualTo(("sid", SameSiteMode.None, true)));
    }

    [TestCase("true", CookieSecurePolicy.Always), TestCase("True", CookieSecurePolicy.Always), TestCase("1", CookieSecurePolicy.Always)]
    [TestCase("false", CookieSecurePolicy.None), TestCase("FALSE", CookieSecurePolicy.None), TestCase("0", CookieSecurePolicy.None)]
    public void Secure_cookie_of_the_seed_is_always_or_never(string text, CookieSecurePolicy expected)
    {
        var options = new RedisHashSessionOptions { Cookie = { SecurePolicy = CookieSecurePolicy.SameAsRequest } };
        SessionConfiguration.Apply(InMemorySettings.Of(("SESSION_COOKIE_SECURE", text)), options);
        Assert.That(options.Cookie.SecurePolicy, Is.EqualTo(expected));
    }

    [TestCase("true", ""), TestCase("True", ""), TestCase("false", null), TestCase("trueshop:", "trueshop:"), TestCase("shop:", "shop:")]
    [TestCase("truth:", "truth:"), TestCase("falsetto", "falsetto"), TestCase("10", "10"), TestCase("t", "t")]
    public void Sessions_are_taken_over_from_the_instance_that_is_named_or_from_none_that_has_a_name(string text, string? expected) =>
        Assert.That(Options(("RedisHashSession:TakeOverSessions", text)).InstanceNameOfLeft, Is.EqualTo(expected));

    [Test]
    public void Names_of_the_seed_win_over_DotNet_names() => Assert.That(
        Options(("SESSION_REDIS_PREFIX", "seed"), ("RedisHashSession:KeyPrefix", "dotnet:")).KeyPrefix, Is.EqualTo("seed:"));

    [Test]
    public void Command_line_wins_over_the_environment_and_both_over_appsettings()
    {
        var configuration = new ConfigurationBuilder()
            .AddCommandLine(["--session-redis-prefix", "line"])
            .AddConfiguration(InMemorySettings.Of(
                ("SESSION_REDIS_PREFIX", "env"), ("SESSION_COOKIE_ID", "env"), // as the environment has them
                ("RedisHashSession:KeyPrefix", "json:"), ("RedisHashSession:Cookie:Name", "json"),
                ("RedisHashSession:Cookie:Path", "/json")))
            .Build();
        var options = Options(configuration);
        Assert.That((options.KeyPrefix, options.Cookie.Name, options.Cookie.Path), Is.EqualTo(("line:", "env", "/json")));
    }

    [Test]
    public void Empty_text_does_not_win() => Assert.That(
        Options(("SESSION_REDIS_PREFIX", ""), ("session-redis-prefix", ""), ("RedisHashSession:KeyPrefix", "dotnet:")).KeyPrefix,
        Is.EqualTo("dotnet:"));

    [Test]
    public void Section_is_read_alone()
    {
        var configuration = InMemorySettings.Of(
            ("SESSION_REDIS_PREFIX", "root:"), ("RedisHashSession:KeyPrefix", "default:"), ("Session:SESSION_COOKIE_ID", "section"));
        var options = Options(configuration.GetSection("Session"));
        Assert.That((options.KeyPrefix, options.Cookie.Name), Is.EqualTo(("", "section")));
    }

    // As there, where the colon is put in front of "sessions:" whatever the prefix is.
    [TestCase("pyapp", "pyapp:"), TestCase("pyapp:", "pyapp::"), TestCase("a b", "a b:")]
    public void Prefix_of_the_seed_is_what_it_is_there(string text, string expected)
    {
        Assert.That(Options(("SESSION_REDIS_PREFIX", text)).KeyPrefix, Is.EqualTo(expected));
        Assert.That(Options(("session-redis-prefix", text)).KeyPrefix, Is.EqualTo(expected));
        Assert.That(Options(("RedisHashSession:KeyPrefix", text)).KeyPrefix, Is.EqualTo(text), "in .NET as ever");
    }

    [TestCase("true:", "true"), TestCase("tru", "true"), TestCase("Ture", "true"), TestCase("trues", "true"), TestCase("treu", "true")]
    [TestCase(" TRU ", "true"), TestCase("1", "true"), TestCase("yes", "true"), TestCase("on", "true")]
    [TestCase("flase", "false"), TestCase("fals", "false"), TestCase("False.", "false")]
    [TestCase("0", "false"), TestCase("No", "false"), TestCase("off", "false")]
    public void Instance_name_that_looks_like_true_or_false_is_asked_about(string text, string meant)
    {
        Assert.That(
            () => Options(("RedisHashSession:TakeOverSessions", text)),
            Throws.TypeOf<OptionsValidationException>().With.Message.EqualTo(
                $"The setting RedisHashSession:TakeOverSessions is '{text}': did you mean {meant}? "
                + $"If this is really an instance name, set it in code: options.TakeOverSessions(\"{text}\")."));
    }

    [Test]
    public void Configuration_reaches_both_options_objects_in_its_place()
    {
        var configuration = InMemorySettings.Of(
            ("SESSION_REDIS", "configured"), ("SESSION_COOKIE_ID", "configured"), ("SESSION_EXPIRE", "90"));
        using var services = new ServiceCollection()
            .AddRedisHashSession("before")
            .AddRedisHashSession(configuration).AddRedisHashSession(options => options.Cookie.Name = "after").BuildServiceProvider();
        var session = services.GetRequiredService<IOptions<Microsoft.AspNetCore.Builder.SessionOptions>>().Value;
        var ours = services.GetRequiredService<IOptions<RedisHashSessionOptions>>().Value;
        Assert.That((ours.Configuration, ours.Cookie.Name), Is.EqualTo(("configured", "after")));
        Assert.That((session.IdleTimeout, session.Cookie.Name), Is.EqualTo((TimeSpan.FromSeconds(90), "after")));
    }

    private static RedisHashSessionOptions Options(params (string, string)[] settings) => Options(InMemorySettings.Of(settings));

    private static RedisHashSessionOptions Options(IConfiguration configuration)
    {
        var options = new RedisHashSessionOptions();
        SessionConfiguration.Apply(configuration, options);
        return options;
    }
}
