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
        var cookie = session.Cookie;
        Assert.That(
            (cookie.Name, cookie.HttpOnly, cookie.IsEssential, cookie.SameSite), Is.EqualTo(("sid", false, true, SameSiteMode.Strict)));
        Assert.That((session.IdleTimeout, session.IOTimeout), Is.EqualTo((TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(5))));
    }

    [Test]
    public void What_is_not_said_stays_as_AddSession_has_it()
    {
        var (session, ours) = Read(services => services.AddRedisHashSession("localhost"));
        var stock = new SessionOptions();
        Assert.That(
            (session.IdleTimeout, session.IOTimeout, session.Cookie.Name),
            Is.EqualTo((stock.IdleTimeout, stock.IOTimeout, stock.Cookie.Name)));
        Assert.That((ours.IdleTimeout, ours.Cookie.Name), Is.EqualTo((stock.IdleTimeout, stock.Cookie.Name)));
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
        Assert.That(seen, Is.EqualTo([1.0, 2.0]));
        Assert.That((session.IdleTimeout, ours.IdleTimeout), Is.EqualTo((TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(4))));
    }

    [Test]
    public void What_the_application_configures_in_our_options_has_its_effect_before_and_after(
        [Values] bool before, [Values("section", "lambda", "afterwards")] string way)
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
            Action<RedisHashSessionOptions> lambda = options => (options.IdleTimeout, options.IOTimeout, options.Cookie) =
                (TimeSpan.FromMinutes(7), TimeSpan.FromSeconds(3), new() { Name = "own" });
            if (way == "section") services.Configure<RedisHashSessionOptions>(section);
            else if (way == "lambda") services.Configure(lambda);
            else services.PostConfigure(lambda);
        }
    }

    [Test]
    public void AddSession_after_ours_adds_to_it()
    {
        var (session, ours) = Read(services => services
            .AddRedisHashSession("localhost")
            .AddRedisHashSession(options => (options.IdleTimeout, options.Cookie.Name) = (TimeSpan.FromMinutes(1), "one"))
            .AddSession(options => options.Cookie.Name = "two"));
        Assert.That((session.Cookie.Name, session.IdleTimeout, ours.Cookie.Name), Is.EqualTo(("two", TimeSpan.FromMinutes(1), "two")));
    }

    [Test]
    public void Ours_mirror_the_session_options_as_they_end_up()
    {
        var (session, ours) = Read(services => services
            .AddRedisHashSession("localhost")
            .PostConfigure<SessionOptions>(options => (options.Cookie, options.IdleTimeout, options.IOTimeout) =
                (new() { Name = "sid" }, TimeSpan.FromMinutes(3), TimeSpan.FromSeconds(3))));
        Assert.That(ours.Cookie, Is.SameAs(session.Cookie));
        Assert.That((ours.IdleTimeout, ours.IOTimeout), Is.EqualTo((TimeSpan.FromMinutes(3), TimeSpan.FromSeconds(3))));
    }

    // The lambda is called for each of the two options objects: what it adds must be added once.
    [Test]
    public void Relative_change_is_made_once([Values("added", "configured", "configured afterwards")] string way)
    {
        var (session, ours) = Read(services =>
        {
            services.AddRedisHashSession("localhost");
            if (way == "added") services.AddRedisHashSession(Change);
            else if (way == "configured") services.Configure<RedisHashSessionOptions>(Change);
            else services.PostConfigure<RedisHashSessionOptions>(Change);
        });
        Assert.That((session.IdleTimeout, ours.IdleTimeout), Is.EqualTo((TimeSpan.FromMinutes(40), TimeSpan.FromMinutes(40))));
        Assert.That(ours.Cookie.Name, Is.EqualTo(new SessionOptions().Cookie.Name + ".mine"));

        static void Change(RedisHashSessionOptions options)
        {
            options.IdleTimeout *= 2;
            options.Cookie.Name += ".mine";
        }
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
