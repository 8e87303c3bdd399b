using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace RedisSession.Provider.Tests;

/// <summary>What docs/security.md and docs/operating.md advise, done; and what they admit, shown.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class SecurityAdviceTests(ServerKind kind, Pipeline pipeline)
{
    private readonly string _prefix = SessionStack.NewKeyPrefix();
    private SharedServer _server = null!;
    private TestApp _app = null!;

    [OneTimeSetUp]
    public async Task StartApp()
    {
        _server = await TestServers.GetAsync(kind);
        _app = await TestApp.StartAsync(
            services =>
            {
                services.AddRedisHashSession(options =>
                {
                    (options.Configuration, options.KeyPrefix) = (_server.ConfigurationString, _prefix);
                    (options.AbsoluteTimeout, options.ProtectValues) = (TimeSpan.FromHours(8), true);
                    options.FailureMode = FailureMode.Throw;
                });
                services.AddAuthentication().AddCookie(FollowTheAdvice);
            },
            builder => builder.Use(pipeline).UseAuthentication());
    }

    [OneTimeTearDown]
    public async Task StopApp() => await _app.DisposeAsync();

    [Test]
    public async Task Who_signs_in_has_a_session_under_a_new_key()
    {
        using var browser = await _app.NewVisitorAsync(key: "cart", value: "tea");
        string before = browser.SessionId;
        await SignInAsync(browser, "ann");
        await browser.VisitAsync(async context =>
        {
            Assert.That(context.User.FindFirstValue(ClaimTypes.NameIdentifier), Is.EqualTo("ann"));
            Assert.That(context.Session.Id, Is.Not.EqualTo(before));
            Assert.That(await context.Session.GetStrAsync("cart"), Is.EqualTo("tea"));
        });
        Assert.That(await Redis.HasNoSessionAsync(KeyOf(before)), Is.True);
    }

    [Test]
    public async Task Whose_session_is_ended_from_elsewhere_is_not_signed_in_any_more()
    {
        using var phone = _app.NewBrowser();
        using var laptop = _app.NewBrowser();
        await SignInAsync(phone, "bob");
        await SignInAsync(laptop, "bob");
        Assert.That(await IsSignedInAsync(phone), Is.True);

        string id = await laptop.VisitAsync(session => session.Id);
        Assert.That(await _app.Directory.EndAllForUserAsync("bob", exceptId: id), Is.EqualTo(1));
        Assert.That(await IsSignedInAsync(phone), Is.False);
        Assert.That(await IsSignedInAsync(laptop), Is.True);
    }

    [Test]
    public async Task Who_signs_out_has_no_session_and_a_copy_of_his_cookies_is_worth_nothing()
    {
        using var browser = _app.NewBrowser();
        await SignInAsync(browser, "cid");
        using var thief = _app.NewBrowser();
        thief.Cookies.Add(browser.Cookies.GetAllCookies());
        Assert.That(await IsSignedInAsync(thief), Is.True);

        await browser.VisitAsync(context => context.SignOutAsync());
        Assert.That(browser.SessionCookie, Is.Null);
        Assert.That(await IsSignedInAsync(thief), Is.False);
    }

    [Test]
    public async Task The_cookie_is_as_it_was_set()
    {
        await using var app = await TestApp.StartAsync(_server.ConfigurationString, options =>
            (options.KeyPrefix, options.Cookie.Name, options.Cookie.SecurePolicy) = (_prefix, "__Host-id", CookieSecurePolicy.Always));
        using var browser = app.NewBrowser();
        using var response = await browser.SendAsync(context => context.Session.SetValueAsync("a", 1));
        Assert.That(response.Headers.GetValues("Set-Cookie").Single(), Does.Match("^__Host-id=[^;]+; path=/; secure; samesite=lax; httponly$"));
    }

    [Test]
    public async Task A_session_that_is_bound_by_itself_keeps_its_key()
    {
        using var browser = await _app.NewVisitorAsync(key: "cart", value: "tea");
        string before = browser.SessionId;
        await browser.VisitAsAsync("dan", session => session.SetString("cart", "mug"));
        Assert.That((string?)await Redis.HashGetAsync(KeyOf(before), "@user"), Is.EqualTo("dan"), "readable, too");
        Assert.That(await browser.VisitAsync(session => session.Id), Is.EqualTo(before));
    }

    [Test]
    public async Task What_others_write_is_read_though_values_are_protected()
    {
        using var browser = await _app.NewVisitorAsync(key: "old", value: "1");
        string key = KeyOf(browser.SessionId);
        await Redis.HashSetAsync(key, [new("role", "admin"), new("new", await Redis.HashGetAsync(key, "old"))]);
        Assert.That(await browser.VisitAsync(session => (session.GetString("role"), session.GetString("new"))), Is.EqualTo(("admin", "1")));
    }

    [Test]
    public async Task An_instance_that_protects_no_values_reads_what_others_have_encrypted_as_it_is()
    {
        await using var plain = await TestApp.StartAsync(_server.ConfigurationString, options => options.KeyPrefix = _prefix);
        using var browser = await _app.NewVisitorAsync(key: "key", value: "1");
        byte[] read = await browser.At(plain).VisitAsync(session => session.GetRaw("key")!);
        Assert.That(read, Has.Length.GreaterThan(20).And.Not.EqualTo("1"u8.ToArray()));
    }

    [Test]
    public async Task Without_consent_no_cookie_is_sent_and_the_session_is_found_by_nobody()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await TestApp.StartAsync(
            services =>
            {
                services.AddRedisHashSession(options => (options.Configuration, options.KeyPrefix) = (_server.ConfigurationString, prefix));
                services.Configure<CookiePolicyOptions>(policy => policy.CheckConsentNeeded = _ => true);
            },
            builder => builder.UseCookiePolicy().Use(pipeline));
        using var browser = app.NewBrowser();
        for (int i = 0; i < 2; i++) await browser.SetStringAsync("key", "1");
        Assert.That(browser.SessionCookie, Is.Null);
        Assert.That(await app.Directory.CountAsync(), Is.EqualTo(2));
    }

    private static void FollowTheAdvice(CookieAuthenticationOptions cookie)
    {
        cookie.Events.OnSigningIn = async signIn =>
        {
            string user = signIn.Principal!.FindFirstValue(ClaimTypes.NameIdentifier)!;
            await signIn.HttpContext.RenewSessionAsync(user);
            await signIn.HttpContext.Session.SetValueAsync("signed-in", user);
        };
        cookie.Events.OnValidatePrincipal = async check =>
        {
            string user = check.Principal!.FindFirstValue(ClaimTypes.NameIdentifier)!;
            if (await check.HttpContext.Session.GetStrAsync("signed-in") != user) check.RejectPrincipal();
        };
        cookie.Events.OnSigningOut = signOut => signOut.HttpContext.AbandonSessionAsync();
    }

    private IDatabase Redis => _server.Admin.GetDatabase();

    private string KeyOf(string id) => $"{_prefix}sessions:{id}";

    private static Task SignInAsync(Browser browser, string user) => browser.VisitAsync(context =>
        context.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, user)], "password"))));

    private static Task<bool> IsSignedInAsync(Browser browser) =>
        browser.VisitAsync(context => Task.FromResult(context.User.Identity?.IsAuthenticated is true));
}
