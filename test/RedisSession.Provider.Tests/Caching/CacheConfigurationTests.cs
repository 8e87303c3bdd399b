using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Tests;

[TestFixture]
[Parallelizable(ParallelScope.All)]
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
                .With.Message.Contains("The setting App:Cache:UseDedicatedThreads is 'perhaps': true or false"));
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
