using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Moq;

namespace RedisSession.Provider.Tests;

internal sealed class RegistrationTests
{
    [TestCase(true, false), TestCase(false, true), TestCase(true, true)]
    public void Store_is_ours_and_there_is_no_other_wherever_AddSession_is_called(bool before, bool after)
    {
        using var services = Build(services =>
        {
            services.AddDistributedMemoryCache();
            if (before) services.AddSession();
            services.AddRedisHashSession("localhost");
            if (after) services.AddSession();
        });
        Assert.That(services.GetServices<ISessionStore>().Single(), Is.TypeOf<RedisHashSessionStore>());
    }

    [Test]
    public void All_that_UseSession_needs_is_registered_and_HttpContextAccessor_left_to_the_application()
    {
        using var services = Build(services => services.AddRedisHashSession("localhost"));
        Assert.That(services.GetService<IDataProtectionProvider>(), Is.Not.Null);
        Assert.That(services.GetService<IOptions<SessionOptions>>(), Is.Not.Null);
        Assert.That(new ApplicationBuilder(services).UseSession().Build(), Is.Not.Null);

        // It takes HttpContext out of ASP.NET Core's pool: whoever wants it, pays for it.
        Assert.That(services.GetService<IHttpContextAccessor>(), Is.Null);
    }

    [Test]
    public void Without_arguments_the_connection_is_the_one_in_the_services() => Assert.That(
        Options(services => services.AddSingleton(Mock.Of<IConnectionMultiplexer>()).AddRedisHashSession()).Configuration, Is.Null);

    [Test]
    public void Calling_twice_registers_nothing_twice()
    {
        var services = new ServiceCollection().AddRedisHashSession("one");
        int once = services.Count(IsNoConfiguration);
        services.AddRedisHashSession("two");

        Assert.That(services.Count(IsNoConfiguration), Is.EqualTo(once));
        Assert.That(services.Where(service => service.ServiceType == typeof(ISessionStore)), Has.Exactly(1).Items);
        Assert.That(services.Where(service => service.ImplementationType == typeof(RedisConnectionOpener)), Has.Exactly(1).Items);
        Assert.That(services.Where(service => service.ServiceType == typeof(RedisConnection)), Has.Exactly(1).Items);

        // Each call may configure once more; that is what calling it twice is for.
        static bool IsNoConfiguration(ServiceDescriptor service) =>
            !service.ServiceType.IsGenericType || service.ServiceType.GetGenericTypeDefinition() != typeof(IConfigureOptions<>);
    }

    [Test]
    public void Calling_twice_adds_to_what_was_said_before()
    {
        var options = Options(services => services
            .AddRedisHashSession(options => (options.Configuration, options.KeyPrefix) = ("one", "app:"))
            .AddRedisHashSession("two"));
        Assert.That((options.Configuration, options.KeyPrefix), Is.EqualTo(("two", "app:")));
    }

    [Test]
    public void Services_are_returned_for_the_next_call()
    {
        var services = new ServiceCollection();
        Assert.That(services.AddRedisHashSession(), Is.SameAs(services));
        Assert.That(services.AddRedisHashSession("one"), Is.SameAs(services));
        Assert.That(services.AddRedisHashSession(_ => { }), Is.SameAs(services));
        Assert.That(services.AddRedisHashSession(new ConfigurationBuilder().Build()), Is.SameAs(services));
    }

    [Test]
    public void Null_arguments_are_named()
    {
        var services = new ServiceCollection();
        var configuration = new ConfigurationBuilder().Build();
        Assert.That(() => ((IServiceCollection)null!).AddRedisHashSession(), ThrowsNull.Of("services"));
        Assert.That(() => ((IServiceCollection)null!).AddRedisHashSession("one"), ThrowsNull.Of("services"));
        Assert.That(() => ((IServiceCollection)null!).AddRedisHashSession(_ => { }), ThrowsNull.Of("services"));
        Assert.That(() => ((IServiceCollection)null!).AddRedisHashSession(configuration), ThrowsNull.Of("services"));
        Assert.That(() => services.AddRedisHashSession((string)null!), ThrowsNull.Of("configuration"));
        Assert.That(() => services.AddRedisHashSession((Action<RedisHashSessionOptions>)null!), ThrowsNull.Of("configure"));
        Assert.That(() => services.AddRedisHashSession((IConfiguration)null!), ThrowsNull.Of("section"));
        Assert.That(() => ((IApplicationBuilder)null!).UseRedisHashSession(), ThrowsNull.Of("app"));
    }

    // Where it is given, since another connection may be in the services; with the help that an application gets which gives none.
    [Test]
    public async Task Empty_configuration_string_is_refused_where_it_is_given_with_the_help_for_none([Values("", " ")] string configuration)
    {
        var error = Assert.Throws<ArgumentException>(() => new ServiceCollection().AddRedisHashSession(configuration))!;
        string none = await Application.RefusalAsync(services => services.AddRedisHashSession());
        Assert.That(error.ParamName, Is.EqualTo("configuration"));
        Assert.That(error.Message, Does.StartWith(none));
        Assert.That(none, Does.StartWith("AddRedisHashSession does not know which Redis to use."));
    }

    [Test]
    public void Using_sessions_that_were_not_added_says_what_to_call()
    {
        using var none = Build(_ => { });
        using var stock = Build(services => services.AddDistributedMemoryCache().AddSession());
        using var incomplete = Build(services => services.AddSession(), isComplete: false); // without a cache its store cannot even be made
        foreach (var services in new[] { none, stock, incomplete })
            Assert.That(
                () => new ApplicationBuilder(services).UseRedisHashSession(),
                Throws.InvalidOperationException.With.Message.Contains("AddRedisHashSession"));
    }

    [Test]
    public void A_store_that_stands_in_front_of_ours_is_named_where_the_pipeline_cannot_use_it()
    {
        using var services = Build(services => services.AddRedisHashSession("localhost").AddTransient<ISessionStore, DistributedSessionStore>()
            .AddDistributedMemoryCache());
        Assert.That(
            () => new ApplicationBuilder(services).UseRedisHashSession(),
            Throws.InvalidOperationException.With.Message.Contains(typeof(DistributedSessionStore).ToString()).And.Message.Contains("UseSession()"));
    }

    private static RedisHashSessionOptions Options(Action<IServiceCollection> configure)
    {
        using var services = Build(configure);
        return services.GetRequiredService<IOptions<RedisHashSessionOptions>>().Value;
    }

    private static ServiceProvider Build(Action<IServiceCollection> configure, bool isComplete = true)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        configure(services);
        return services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = isComplete, ValidateScopes = true });
    }
}
