using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Moq;

namespace RedisSession.Provider.Tests;

internal sealed class CacheRegistrationTests
{
    [Test]
    public void The_cache_is_one_with_buffers()
    {
        using var services = Build(services => services.AddRedisHashCache("localhost"));
        Assert.That(services.GetRequiredService<IDistributedCache>(), Is.InstanceOf<IBufferDistributedCache>());
    }

    [Test]
    public void It_takes_the_place_of_one_before_it_and_calling_twice_registers_nothing_twice()
    {
        var services = new ServiceCollection()
            .AddDistributedMemoryCache()
            .AddStackExchangeRedisCache(options => options.Configuration = "localhost").AddRedisHashCache("one");
        int once = services.Count(IsNoConfiguration);
        services.AddRedisHashCache("two").AddDistributedMemoryCache();
        Assert.That(services.Count(IsNoConfiguration), Is.EqualTo(once));
        Assert.That(
            services.Single(service => service.ServiceType == typeof(IDistributedCache)).ImplementationType,
            Is.EqualTo(typeof(RedisHashCache)));

        // Each call may configure once more, and AddDistributedMemoryCache adds options of its own.
        static bool IsNoConfiguration(ServiceDescriptor service) =>
            !service.ServiceType.IsGenericType || service.ServiceType.GetGenericTypeDefinition() != typeof(IConfigureOptions<>);
    }

    [Test]
    public void A_lambda_that_was_written_for_RedisCache_sets_the_same_options()
    {
        Func<Task<IConnectionMultiplexer>> factory = () => Task.FromResult(Mock.Of<IConnectionMultiplexer>());
        var configurationOptions = new ConfigurationOptions();
        using var services = Build(services => services.AddRedisHashCache(options =>
        {
            (options.Configuration, options.InstanceName) = ("one", "shop:");
            (options.ConfigurationOptions, options.ConnectionMultiplexerFactory) = (configurationOptions, factory);
        }));

        // Not validated: no server is named.
        var configured = new RedisHashCacheOptions();
        foreach (var configure in services.GetServices<IConfigureOptions<RedisHashCacheOptions>>()) configure.Configure(configured);
        Assert.That((configured.Configuration, configured.InstanceName), Is.EqualTo(("one", "shop:")));
        Assert.That(configured.ConfigurationOptions, Is.SameAs(configurationOptions));
        Assert.That(configured.ConnectionMultiplexerFactory == factory, Is.True);
    }

    [Test]
    public void Services_are_returned_for_the_next_call_and_null_arguments_are_named()
    {
        var services = new ServiceCollection();
        Assert.That(services.AddRedisHashCache(), Is.SameAs(services));
        Assert.That(services.AddRedisHashCache("one"), Is.SameAs(services));
        Assert.That(services.AddRedisHashCache(_ => { }), Is.SameAs(services));
        Assert.That(services.AddRedisHashCache(new ConfigurationManager()), Is.SameAs(services));
        Assert.That(() => services.AddRedisHashCache((IConfiguration)null!), ThrowsNull.Of("section"));
        Assert.That(() => ((IServiceCollection)null!).AddRedisHashCache(new ConfigurationManager()), ThrowsNull.Of("services"));
        Assert.That(() => ((IServiceCollection)null!).AddRedisHashCache(), ThrowsNull.Of("services"));
        Assert.That(() => ((IServiceCollection)null!).AddRedisHashCache("one"), ThrowsNull.Of("services"));
        Assert.That(() => ((IServiceCollection)null!).AddRedisHashCache(_ => { }), ThrowsNull.Of("services"));
        Assert.That(() => services.AddRedisHashCache((string)null!), ThrowsNull.Of("configuration"));
        Assert.That(() => services.AddRedisHashCache((Action<RedisHashCacheOptions>)null!), ThrowsNull.Of("configure"));
        Assert.That(
            () => services.AddRedisHashCache(" "),
            Throws.ArgumentException.With.Message.StartsWith("AddRedisHashCache does not know which Redis to use."));
    }

    [Test]
    public async Task Without_a_connection_the_application_does_not_start_and_says_all_six_ways()
    {
        string refusal = await RefusalAsync(services => services.AddRedisHashCache());
        Assert.That(refusal, Does.StartWith("AddRedisHashCache does not know which Redis to use."));
        Assert.That(refusal, Does.Contain("1. Configuration: AddRedisHashCache(\"localhost:6379\")").And.Contains("redis://"));
        Assert.That(refusal, Does.Contain("2. ConfigurationOptions:").And.Contains("3. ConnectionMultiplexerFactory:"));
        Assert.That(refusal, Does.Contain("4. ServiceKey:").And.Contains("5. an IConnectionMultiplexer"));
        Assert.That(refusal, Does.Contain("6. AddRedisHashSession").And.EndsWith("."));
    }

    private static IEnumerable<TestCaseData> BadOptions()
    {
        TestCaseData Bad(string name, string remedy, Action<RedisHashCacheOptions> set) =>
            new TestCaseData(name, remedy, set).SetArgDisplayNames(name, remedy);
        yield return Bad("Configuration names no server", "localhost:6379", options => options.Configuration = "ssl=true");
        yield return Bad("Configuration: ", "redis://", options => options.Configuration = "http://localhost");
        yield return Bad("ConfigurationOptions names no server", "localhost:6379", options => options.ConfigurationOptions = new());
        yield return Bad("ServiceKey is 'missing'", "AddKeyedSingleton", options => options.ServiceKey = "missing");
    }

    // Also beside sessions whose connection works: what the cache's own options name, they mean.
    [TestCaseSource(nameof(BadOptions))]
    public async Task A_bad_option_stops_the_start_and_says_what_to_do(string name, string remedy, Action<RedisHashCacheOptions> set)
    {
        Assert.That(await RefusalAsync(services => services.AddRedisHashCache(set)), Does.Contain(name).And.Contains(remedy));
        Assert.That(
            await RefusalAsync(services => services.AddRedisHashSession("localhost").AddRedisHashCache(set)),
            Does.Contain(name).And.Contains(remedy));
    }

    [Test]
    public async Task The_message_says_where_one_was_looked_for()
    {
        var configuration = InMemorySettings.Of(("RedisHashCache:InstanceName", "x"));
        string refusal = await RefusalAsync(services => services.AddRedisHashCache(configuration));
        Assert.That(refusal, Does.Contain("It looked in the configuration for RedisHashCache:Configuration, RedisHashCache:ServiceKey:"));
    }

    [Test]
    public async Task Sessions_without_a_connection_say_so_and_the_cache_that_counts_on_them_does_not()
    {
        string refusal = await RefusalAsync(services => services.AddRedisHashCache().AddRedisHashSession());
        Assert.That(refusal, Does.StartWith("AddRedisHashSession does not know which Redis to use."));
        Assert.That(refusal, Does.Not.Contain("AddRedisHashCache"));
    }

    private static readonly Dictionary<string, string> Defaults = new()
    {
        [nameof(RedisHashCacheOptions.Configuration)] = "null",
        [nameof(RedisHashCacheOptions.ConfigurationOptions)] = "null",
        [nameof(RedisHashCacheOptions.ConnectionMultiplexerFactory)] = "null",
        [nameof(RedisHashCacheOptions.InstanceName)] = "null",
        [nameof(RedisHashCacheOptions.OutageTolerance)] = "00:00:05",
        [nameof(RedisHashCacheOptions.ServiceKey)] = "null",
        [nameof(RedisHashCacheOptions.UseDedicatedThreads)] = "True",
    };

    [Test]
    public void Every_option_has_the_default_that_is_pinned_here()
    {
        var options = new RedisHashCacheOptions();
        var defaults = typeof(RedisHashCacheOptions).GetProperties()
            .ToDictionary(property => property.Name, property => property.GetValue(options)?.ToString() ?? "null");
        Assert.That(defaults, Is.EquivalentTo(Defaults));
    }

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
        Type[] said = [typeof(string), typeof(bool), typeof(object), typeof(TimeSpan)];
        var sayable = typeof(RedisHashCacheOptions).GetProperties().Where(property => said.Contains(property.PropertyType))
            .Select(property => property.Name);
        Assert.That(CacheConfiguration.Settings.Keys, Is.EquivalentTo(sayable));
        Assert.That(Settings.Select(setting => setting.Arguments[0]), Is.EquivalentTo(CacheConfiguration.Settings.Keys));
    }

    [TestCaseSource(nameof(Settings))]
    public void A_setting_is_read_from_a_section_and_from_the_default_section_of_the_root(
        string name, string text, Func<RedisHashCacheOptions, object?> read, object expected)
    {
        Assert.That(read(Options(InMemorySettings.Of(("Cache:" + name, text)).GetSection("Cache"))), Is.EqualTo(expected));
        Assert.That(read(Options(InMemorySettings.Of(("RedisHashCache:" + name, text)))), Is.EqualTo(expected));
        Assert.That(read(Options(InMemorySettings.Of((name, text)))), Is.EqualTo(read(new())), "at the root it is somebody else's");
        var empty = InMemorySettings.Of(("RedisHashCache:" + name, ""));
        Assert.That(read(Options(empty)), Is.EqualTo(read(new())), "an empty text says nothing");
    }

    [Test]
    public void What_does_not_parse_stops_the_start_and_is_named()
    {
        var section = InMemorySettings.Of(("App:Cache:UseDedicatedThreads", "perhaps")).GetSection("App:Cache");
        using var provider = new ServiceCollection().AddRedisHashCache(section).BuildServiceProvider();
        Assert.That(
            () => provider.GetRequiredService<IOptions<RedisHashCacheOptions>>().Value,
            Throws.TypeOf<OptionsValidationException>()
                .With.Message.Contains("The setting App:Cache:UseDedicatedThreads is 'perhaps': expected true or false"));
    }

    [TestCase("InstanceNmae", "InstanceName"), TestCase("KeyPrefix", "ServiceKey")]
    [TestCase("UseDedicatedThread", "UseDedicatedThreads")]
    public void Unknown_name_stops_the_start_and_the_nearest_is_named(string name, string nearest)
    {
        var configuration = InMemorySettings.Of(($"RedisHashCache:{name}", "x"));
        Assert.That(
            () => Options(configuration),
            Throws.TypeOf<OptionsValidationException>().With.Message.EqualTo(
                $"There is no setting RedisHashCache:{name}: the nearest is RedisHashCache:{nearest}."));
        Assert.That(() => Options(configuration.GetSection("RedisHashCache")), Throws.TypeOf<OptionsValidationException>());
    }

    [Test]
    public void Every_option_is_a_setting_or_for_code_only()
    {
        var options = typeof(RedisHashCacheOptions).GetProperties().Select(option => option.Name);
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
        Assert.That(
            logs.Of(SessionEvents.SettingNearlyOurs).Single().Message,
            Does.Contain("AddRedisHashCache").And.Contains("the setting RedisHashCahce. Did you mean RedisHashCache?"));
    }

    /// <summary>What the application says instead of starting; fails when it starts.</summary>
    private static async Task<string> RefusalAsync(Action<IServiceCollection> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        configure(builder.Services);
        using var host = builder.Build();
        return (await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync()))!.Message;
    }

    private static ServiceProvider Build(Action<IServiceCollection> configure)
    {
        var services = new ServiceCollection(); // with nothing else in it, not even logging
        configure(services);
        return services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
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
