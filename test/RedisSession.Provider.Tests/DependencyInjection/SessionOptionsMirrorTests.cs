using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Tests;

/// <summary>What is said in AddRedisHashSession takes effect in SessionOptions, which the stock middleware reads, in its place.</summary>
internal sealed class SessionOptionsMirrorTests
{
    [Test]
    public void Lambda_written_for_AddSession_has_its_effect()
    {
        Action<SessionOptions> forAddSession = options =>
        {
            options.Cookie.Name = "sid";
            options.Cookie.HttpOnly = false;
            options.Cookie.IsEssential = true;
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.IdleTimeout = TimeSpan.FromSeconds(10);
            options.IOTimeout = TimeSpan.FromSeconds(5);
        };
        var (session, _) = Read(services => services.AddRedisHashSession("localhost").AddRedisHashSession(forAddSession));
        using var scope = Assert.EnterMultipleScope();
        Assert.That(session.Cookie.Name, Is.EqualTo("sid"));
        Assert.That(session.Cookie.HttpOnly, Is.False);
        Assert.That(session.Cookie.IsEssential, Is.True);
        Assert.That(session.Cookie.SameSite, Is.EqualTo(SameSiteMode.Strict));
        Assert.That(session.IdleTimeout, Is.EqualTo(TimeSpan.FromSeconds(10)));
        Assert.That(session.IOTimeout, Is.EqualTo(TimeSpan.FromSeconds(5)));
    }

    [Test]
    public void What_is_not_said_stays_as_AddSession_has_it()
    {
        var (session, ours) = Read(services => services.AddRedisHashSession("localhost"));
        var stock = new SessionOptions();
        using var scope = Assert.EnterMultipleScope();
        Assert.That(session.IdleTimeout, Is.EqualTo(stock.IdleTimeout));
        Assert.That(session.IOTimeout, Is.EqualTo(stock.IOTimeout));
        Assert.That(session.Cookie.Name, Is.EqualTo(stock.Cookie.Name));
        Assert.That(ours.IdleTimeout, Is.EqualTo(stock.IdleTimeout));
        Assert.That(ours.Cookie.Name, Is.EqualTo(stock.Cookie.Name));
    }

    [Test]
    public void Configure_calls_before_and_after_keep_their_place()
    {
        var seen = new List<double>();
        var (session, ours) = Read(services => services
            .Configure<SessionOptions>(options => options.IdleTimeout = TimeSpan.FromMinutes(1))
            .AddRedisHashSession(options =>
            {
                // Called for our own options too, which start from their default.
                if (options.IdleTimeout == TimeSpan.FromMinutes(1)) seen.Add(options.IdleTimeout.TotalMinutes);
                options.Configuration = "localhost";
                options.IdleTimeout += TimeSpan.FromMinutes(1);
            })
            .Configure<SessionOptions>(options =>
            {
                seen.Add(options.IdleTimeout.TotalMinutes);
                options.IdleTimeout += TimeSpan.FromMinutes(2);
            }));
        using var scope = Assert.EnterMultipleScope();
        Assert.That(seen, Is.EqualTo([1.0, 2.0]));
        Assert.That(session.IdleTimeout, Is.EqualTo(TimeSpan.FromMinutes(4)));
        Assert.That(ours.IdleTimeout, Is.EqualTo(TimeSpan.FromMinutes(4)));
    }

    [Test]
    public void What_the_application_configures_in_our_options_has_its_effect_before_and_after(
        [Values] bool before, [Values] bool fromSection)
    {
        var section = InMemorySettings.Of(("IdleTimeout", "00:07:00"), ("IOTimeout", "00:00:03"), ("Cookie:Name", "own"));
        var (session, ours) = Read(services =>
        {
            if (before) Configure(services);
            services.AddRedisHashSession(options => (options.Configuration, options.Cookie.Name) = ("localhost", "added"));
            if (!before) Configure(services);
        });
        using var scope = Assert.EnterMultipleScope();
        foreach (var options in new[] { session, ours })
        {
            Assert.That(options.IdleTimeout, Is.EqualTo(TimeSpan.FromMinutes(7)));
            Assert.That(options.IOTimeout, Is.EqualTo(TimeSpan.FromSeconds(3)));
            Assert.That(options.Cookie.Name, Is.EqualTo("own"));
        }

        void Configure(IServiceCollection services)
        {
            if (fromSection) services.Configure<RedisHashSessionOptions>(section);
            else
            {
                services.Configure<RedisHashSessionOptions>(options => (options.IdleTimeout, options.IOTimeout, options.Cookie.Name) =
                    (TimeSpan.FromMinutes(7), TimeSpan.FromSeconds(3), "own"));
            }
        }
    }

    [Test]
    public void AddSession_after_ours_adds_to_it()
    {
        var (session, ours) = Read(services => services
            .AddRedisHashSession("localhost")
            .AddRedisHashSession(options => (options.IdleTimeout, options.Cookie.Name) = (TimeSpan.FromMinutes(1), "one"))
            .AddSession(options => options.Cookie.Name = "two"));
        using var scope = Assert.EnterMultipleScope();
        Assert.That(session.Cookie.Name, Is.EqualTo("two"));
        Assert.That(session.IdleTimeout, Is.EqualTo(TimeSpan.FromMinutes(1)));
        Assert.That(ours.Cookie.Name, Is.EqualTo("two"));
    }

    [Test]
    public void Ours_mirror_the_session_options_as_they_end_up()
    {
        var (session, ours) = Read(services => services
            .AddRedisHashSession("localhost")
            .PostConfigure<SessionOptions>(options =>
            {
                options.Cookie = new CookieBuilder { Name = "sid" };
                options.IdleTimeout = TimeSpan.FromMinutes(3);
                options.IOTimeout = TimeSpan.FromSeconds(3);
            }));
        using var scope = Assert.EnterMultipleScope();
        Assert.That(ours.Cookie, Is.SameAs(session.Cookie));
        Assert.That(ours.IdleTimeout, Is.EqualTo(TimeSpan.FromMinutes(3)));
        Assert.That(ours.IOTimeout, Is.EqualTo(TimeSpan.FromSeconds(3)));
    }

    // The lambda is called for each of the two options objects: what it adds must be added once.
    [Test]
    public void Relative_change_is_made_once()
    {
        var (session, ours) = Read(services => services.AddRedisHashSession("localhost").AddRedisHashSession(options =>
        {
            options.IdleTimeout *= 2;
            options.Cookie.Name += ".mine";
        }));
        using var scope = Assert.EnterMultipleScope();
        Assert.That(session.IdleTimeout, Is.EqualTo(TimeSpan.FromMinutes(40)));
        Assert.That(ours.IdleTimeout, Is.EqualTo(TimeSpan.FromMinutes(40)));
        Assert.That(ours.Cookie.Name, Is.EqualTo(new SessionOptions().Cookie.Name + ".mine"));
    }

    private static (SessionOptions Session, RedisHashSessionOptions Ours) Read(Action<IServiceCollection> configure)
    {
        var collection = new ServiceCollection();
        configure(collection);
        using var services = collection.BuildServiceProvider();
        return (
            services.GetRequiredService<IOptions<SessionOptions>>().Value,
            services.GetRequiredService<IOptions<RedisHashSessionOptions>>().Value);
    }
}
