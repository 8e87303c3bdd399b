using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Moq;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

[TestFixture]
[Parallelizable]
internal sealed class RegistrationTests
{
    [Test]
    public void Store_is_ours_when_AddSession_came_before() => Assert.That(
        Store(services => services.AddDistributedMemoryCache().AddSession().AddRedisHashSession("localhost")),
        Is.TypeOf<RedisHashSessionStore>());

    [Test]
    public void Store_is_ours_when_AddSession_comes_after() => Assert.That(
        Store(services => services.AddRedisHashSession("localhost").AddDistributedMemoryCache().AddSession()),
        Is.TypeOf<RedisHashSessionStore>());

    [Test]
    public void There_is_no_other_store_beside_ours()
    {
        var services = new ServiceCollection().AddDistributedMemoryCache().AddSession().AddRedisHashSession("localhost").AddSession();
        Assert.That(services.Where(service => service.ServiceType == typeof(ISessionStore)), Has.Exactly(1).Items);
    }

    [Test]
    public void All_that_UseSession_needs_is_registered()
    {
        using var services = Build(services => services.AddRedisHashSession("localhost"));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(services.GetService<IDataProtectionProvider>(), Is.Not.Null);
            Assert.That(services.GetService<IOptions<SessionOptions>>(), Is.Not.Null);
            Assert.That(new ApplicationBuilder(services).UseSession().Build(), Is.Not.Null);
        }
    }

    // It takes HttpContext out of ASP.NET Core's pool: whoever wants it, pays for it.
    [Test]
    public void HttpContextAccessor_is_left_to_the_application()
    {
        using var services = Build(services => services.AddRedisHashSession("localhost"));
        Assert.That(services.GetService<IHttpContextAccessor>(), Is.Null);
    }

    [Test]
    public void Without_arguments_the_connection_is_the_one_in_the_services()
    {
        var options = Options(services => services.AddSingleton(Mock.Of<IConnectionMultiplexer>()).AddRedisHashSession());
        Assert.That(options.Configuration, Is.Null);
    }

    [Test]
    public void With_a_string_it_is_the_configuration() =>
        Assert.That(Options(services => services.AddRedisHashSession("redis://one")).Configuration, Is.EqualTo("redis://one"));

    [Test]
    public void With_a_lambda_it_sets_our_options()
    {
        var options = Options(services => services.AddRedisHashSession(options =>
        {
            options.Configuration = "one";
            options.KeyPrefix = "app:";
            options.Mode = RedisSessionMode.Live;
        }));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(options.Configuration, Is.EqualTo("one"));
            Assert.That(options.KeyPrefix, Is.EqualTo("app:"));
            Assert.That(options.Mode, Is.EqualTo(RedisSessionMode.Live));
        }
    }

    [Test]
    public void With_a_section_its_values_are_the_options()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Session:Configuration"] = "one", ["Session:Cookie:Name"] = "sid" })
            .Build();
        var options = Options(services => services.AddRedisHashSession(configuration.GetSection("Session")));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(options.Configuration, Is.EqualTo("one"));
            Assert.That(options.Cookie.Name, Is.EqualTo("sid"));
        }
    }

    [Test]
    public void Calling_twice_registers_nothing_twice()
    {
        var services = new ServiceCollection().AddRedisHashSession("one");
        int once = services.Count(IsNoConfiguration);
        services.AddRedisHashSession("two");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(services.Count(IsNoConfiguration), Is.EqualTo(once));
            Assert.That(services.Where(service => service.ServiceType == typeof(ISessionStore)), Has.Exactly(1).Items);
            Assert.That(services.Where(service => service.ImplementationType == typeof(RedisConnectionOpener)), Has.Exactly(1).Items);
            Assert.That(services.Where(service => service.ServiceType == typeof(RedisConnection)), Has.Exactly(1).Items);
        }

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

        using (Assert.EnterMultipleScope())
        {
            Assert.That(options.Configuration, Is.EqualTo("two"));
            Assert.That(options.KeyPrefix, Is.EqualTo("app:"));
        }
    }

    [Test]
    public void Services_are_returned_for_the_next_call()
    {
        var services = new ServiceCollection();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(services.AddRedisHashSession(), Is.SameAs(services));
            Assert.That(services.AddRedisHashSession("one"), Is.SameAs(services));
            Assert.That(services.AddRedisHashSession(_ => { }), Is.SameAs(services));
            Assert.That(services.AddRedisHashSession(new ConfigurationBuilder().Build()), Is.SameAs(services));
        }
    }

    [Test]
    public void Null_arguments_are_named()
    {
        var services = new ServiceCollection();
        var configuration = new ConfigurationBuilder().Build();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => ((IServiceCollection)null!).AddRedisHashSession(), ThrowsNull.Of("services"));
            Assert.That(() => ((IServiceCollection)null!).AddRedisHashSession("one"), ThrowsNull.Of("services"));
            Assert.That(() => ((IServiceCollection)null!).AddRedisHashSession(_ => { }), ThrowsNull.Of("services"));
            Assert.That(() => ((IServiceCollection)null!).AddRedisHashSession(configuration), ThrowsNull.Of("services"));
            Assert.That(() => services.AddRedisHashSession((string)null!), ThrowsNull.Of("configuration"));
            Assert.That(() => services.AddRedisHashSession((Action<RedisHashSessionOptions>)null!), ThrowsNull.Of("configure"));
            Assert.That(() => services.AddRedisHashSession((IConfiguration)null!), ThrowsNull.Of("section"));
            Assert.That(() => ((IApplicationBuilder)null!).UseRedisHashSession(), ThrowsNull.Of("app"));
        }
    }

    // Where it is given, since another connection may be in the services; with the help that an application gets which gives none.
    [TestCase("")]
    [TestCase(" ")]
    public async Task Empty_configuration_string_is_refused_where_it_is_given_with_the_help_for_none(string configuration)
    {
        var error = Assert.Throws<ArgumentException>(() => new ServiceCollection().AddRedisHashSession(configuration))!;
        string none = await Application.RefusalAsync(services => services.AddRedisHashSession());

        using (Assert.EnterMultipleScope())
        {
            Assert.That(error.ParamName, Is.EqualTo("configuration"));
            Assert.That(error.Message, Does.StartWith(none));
            Assert.That(none, Does.StartWith("AddRedisHashSession does not know which Redis to use."));
        }
    }

    [Test]
    public void Using_sessions_that_were_not_added_says_what_to_call()
    {
        using var none = Build(_ => { });
        using var stock = Build(services => services.AddDistributedMemoryCache().AddSession());
        using var incomplete = Build(services => services.AddSession(), isComplete: false); // without a cache its store cannot even be made

        using (Assert.EnterMultipleScope())
        {
            foreach (var services in new[] { none, stock, incomplete })
            {
                Assert.That(
                    () => new ApplicationBuilder(services).UseRedisHashSession(),
                    Throws.InvalidOperationException.With.Message.Contains("AddRedisHashSession"));
            }
        }
    }

    private static ISessionStore Store(Action<IServiceCollection> configure)
    {
        using var services = Build(configure);
        return services.GetRequiredService<ISessionStore>();
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
