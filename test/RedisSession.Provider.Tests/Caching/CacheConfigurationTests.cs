using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Moq;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

[TestFixture]
[Parallelizable]
internal sealed class CacheConfigurationTests
{
    private static IEnumerable<TestCaseData> Settings =>
    [
        Setting("Configuration", "one:7000", options => options.Configuration, "one:7000"),
        Setting("ServiceKey", "cache", options => options.ServiceKey, "cache"),
        Setting("InstanceName", "shop:", options => options.InstanceName, "shop:"),
        Setting("OutageTolerance", "00:00:01.5", options => options.OutageTolerance, TimeSpan.FromSeconds(1.5)),
        Setting("UseDedicatedThreads", "False", options => options.UseDedicatedThreads, false),
    ];

    [Test]
    public void Every_setting_is_in_the_table_and_every_option_that_text_can_say_is_a_setting()
    {
        var sayable = typeof(RedisHashCacheOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property =>
                property.PropertyType == typeof(string) || property.PropertyType == typeof(bool) || property.PropertyType == typeof(object)
                || property.PropertyType == typeof(TimeSpan))
            .Select(property => property.Name);
        Assert.That(CacheConfiguration.Settings.Keys, Is.EquivalentTo(sayable));
        Assert.That(Settings.Select(setting => setting.Arguments[0]), Is.EquivalentTo(CacheConfiguration.Settings.Keys));
    }

    [TestCaseSource(nameof(Settings))]
    public void A_setting_is_read_from_a_section_and_from_the_default_section_of_the_root(
        string name, string text, Func<RedisHashCacheOptions, object?> read, object expected)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(read(Options(InMemorySettings.Of(("Cache:" + name, text)).GetSection("Cache"))), Is.EqualTo(expected));
            Assert.That(read(Options(InMemorySettings.Of(("RedisHashCache:" + name, text)))), Is.EqualTo(expected));
            Assert.That(read(Options(InMemorySettings.Of((name, text)))), Is.EqualTo(read(new())), "at the root it is somebody else's");
            Assert.That(read(Options(InMemorySettings.Of(("RedisHashCache:" + name, "")))), Is.EqualTo(read(new())), "an empty text says nothing");
        }
    }

    [Test]
    public void What_does_not_parse_stops_the_start_and_is_named()
    {
        var services = new ServiceCollection().AddRedisHashCache(InMemorySettings.Of(("App:Cache:UseDedicatedThreads", "perhaps")).GetSection("App:Cache"));
        using var provider = services.BuildServiceProvider();
        Assert.That(
            () => provider.GetRequiredService<IOptions<RedisHashCacheOptions>>().Value,
            Throws.TypeOf<OptionsValidationException>()
                .With.Message.Contains("The setting App:Cache:UseDedicatedThreads is 'perhaps': expected true or false"));
    }

    [TestCase("InstanceNmae", "InstanceName")]
    [TestCase("KeyPrefix", "ServiceKey")]
    [TestCase("UseDedicatedThread", "UseDedicatedThreads")]
    public void Unknown_name_stops_the_start_and_the_nearest_is_named(string name, string nearest)
    {
        var configuration = InMemorySettings.Of(($"RedisHashCache:{name}", "x"));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => Options(configuration),
                Throws.TypeOf<OptionsValidationException>().With.Message.EqualTo(
                    $"There is no setting RedisHashCache:{name}: the nearest is RedisHashCache:{nearest}."));
            Assert.That(() => Options(configuration.GetSection("RedisHashCache")), Throws.TypeOf<OptionsValidationException>());
        }
    }

    [Test]
    public void Every_option_is_a_setting_or_for_code_only()
    {
        var options = typeof(RedisHashCacheOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Select(option => option.Name);
        Assert.That(CacheConfiguration.Settings.Keys.Concat(CacheConfiguration.InCode), Is.EquivalentTo(options));
        var section = InMemorySettings.Of(("Cache:ConfigurationOptions:Ssl", "true")).GetSection("Cache");
        Assert.That(() => Options(section), Throws.TypeOf<OptionsValidationException>().With.Message.Contains("only code can set"));
    }

    [Test]
    public void Section_that_is_given_and_empty_stops_the_start() => Assert.That(
        () => Options(InMemorySettings.Of(("Cache:InstanceName", "shop:")).GetSection("Cahce")),
        Throws.TypeOf<OptionsValidationException>().With.Message.Contains("The section Cahce that AddRedisHashCache was given is empty"));

    [Test]
    public async Task Section_at_the_root_that_is_nearly_ours_is_a_warning_at_the_start()
    {
        var logs = new RecordedLogs();
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.AddProvider(logs);
        builder.Services.AddSingleton(Mock.Of<IConnectionMultiplexer>(one => one.Configuration == "localhost"))
            .AddRedisHashCache(InMemorySettings.Of(("RedisHashCahce:InstanceName", "shop:"), ("SESSION_EXPIRES", "60")));
        using var host = builder.Build();
        await host.StartAsync();
        await host.StopAsync();
        var warning = logs.Of(SessionEvents.SettingNearlyOurs).Single();
        Assert.That(
            warning.Message,
            Does.Contain("AddRedisHashCache").And.Contains("the setting RedisHashCahce. Did you mean RedisHashCache?"));
    }

    private static TestCaseData Setting(string name, string text, Func<RedisHashCacheOptions, object?> read, object expected) =>
        new TestCaseData(name, text, read, expected).SetArgDisplayNames(name, text);

    private static RedisHashCacheOptions Options(IConfiguration configuration)
    {
        var options = new RedisHashCacheOptions();
        CacheConfiguration.Apply(configuration, options);
        return options;
    }
}
