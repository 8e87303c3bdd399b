using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace RedisSession.Provider.Tests;

/// <summary>What a process remembers of cookies, and what it must not.</summary>
internal sealed class CookieCacheTests
{
    [TestCase(16, 1, 2)]
    [TestCase(0, 3, 4, Description = "Switched off.")]
    public async Task A_cookie_is_decrypted_once_in_five_minutes_or_by_each_request(int size, int inFiveMinutes, int later)
    {
        var clock = new FakeTimeProvider();
        var keys = new CountingKeys();
        await using var app = await StartAsync(keys, clock, size);
        using var browser = await app.NewVisitorAsync();
        for (int i = 0; i < 3; i++) Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
        Assert.That(keys.Unprotected, Is.EqualTo(inFiveMinutes));
        clock.Advance(TimeSpan.FromMinutes(5));
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
        Assert.That(keys.Unprotected, Is.EqualTo(later));
    }

    [Test]
    public async Task A_visitor_without_a_cookie_who_does_not_use_the_session_costs_no_key()
    {
        var keys = new CountingKeys();
        await using var app = await StartAsync(keys, TimeProvider.System);
        using var browser = app.NewBrowser();
        await browser.VisitAsync(_ => { });
        Assert.That(browser.SessionCookie, Is.Null);
        Assert.That(keys.Protected, Is.Zero);
        await browser.SetStringAsync("key", "1");
        Assert.That(keys.Protected, Is.EqualTo(1));
    }

    [Test]
    public async Task Redis_is_asked_whether_the_session_is_there()
    {
        await using var app = await StartAsync(new CountingKeys(), TimeProvider.System);
        using var browser = app.NewBrowser();
        string id = await browser.NewSessionAsync();
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
        await app.Directory.EndAsync(id);
        Assert.That(await browser.GetStringAsync("key"), Is.Null);
    }

    [Test]
    public async Task A_tampered_cookie_is_refused_beside_the_genuine_one()
    {
        await using var app = await StartAsync(new CountingKeys(), TimeProvider.System);
        using var browser = await app.NewVisitorAsync();
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
        string text = Uri.UnescapeDataString(browser.SessionCookie!.Value);
        for (int i = 0; i < text.Length; i++)
        {
            using var thief = browser.Twin();
            string tampered = string.Concat(text.AsSpan(0, i), text[i] == 'A' ? "B" : "A", text.AsSpan(i + 1));
            thief.SessionCookie!.Value = Uri.EscapeDataString(tampered);

            // The last character of base64 without padding may have bits that mean nothing.
            if (i < text.Length - 1) Assert.That(await thief.GetStringAsync("key"), Is.Null, $"at {i}");
        }
    }

    [Test]
    public async Task A_revoked_key_is_refused_as_soon_as_data_protection_has_read_its_ring_again()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            await using var app = await StartAsync(services =>
            {
                services.RemoveAll<IDataProtectionProvider>();
                services.AddDataProtection().PersistKeysToFileSystem(folder);
            });
            using var browser = await app.NewVisitorAsync();
            Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
            var keys = app.Services.GetRequiredService<IKeyManager>();
            foreach (var key in keys.GetAllKeys()) keys.RevokeKey(key.KeyId, "the test says so");
            Assert.That(async () => await browser.GetStringAsync("key"), Is.Null.After(20_000, 10));
            Assert.That(app.Logs.Of(SessionEvents.CookieUnreadable), Is.Not.Empty);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Test]
    public void Random_cookies_take_no_place_and_genuine_ones_take_each_others()
    {
        var options = Options.Create(new RedisHashSessionOptions { CookieCacheSize = 100 });
        var cache = new CookieCache(options, TimeProvider.System, new ServiceCollection().BuildServiceProvider());
        for (int i = 0; i < 100_000; i++) Assert.That(cache.KeyIn(Guid.NewGuid().ToString(), _ => null), Is.Null);
        Assert.That(cache.Count, Is.Zero);
        Parallel.For(0, 100_000, i =>
        {
            // Each text twice, and of several tasks.
            string text = (i / 2).ToString("D176", null);
            Assert.That(cache.KeyIn(text, text => text), Is.EqualTo(text));
        });
        Assert.That(cache.Count, Is.EqualTo(100));
    }

    private static Task<TestApp> StartAsync(CountingKeys keys, TimeProvider clock, int size = 16) => StartAsync(
        services => services.AddSingleton<IDataProtectionProvider>(keys).AddSingleton(clock), size);

    private static Task<TestApp> StartAsync(Action<IServiceCollection> addKeys, int size = 16) =>
        new OurStack(ServerKind.Garnet, Pipeline.UseRedisHashSession).StartAsync(options => options.CookieCacheSize = size, addKeys);

    private sealed class CountingKeys : IDataProtectionProvider, IDataProtector
    {
        private readonly IDataProtector _real = new EphemeralDataProtectionProvider().CreateProtector(nameof(SessionMiddleware));

        public int Protected { get; private set; }

        public int Unprotected { get; private set; }

        public IDataProtector CreateProtector(string purpose) => this;

        public byte[] Protect(byte[] plaintext)
        {
            Protected++;
            return _real.Protect(plaintext);
        }

        public byte[] Unprotect(byte[] protectedData)
        {
            Unprotected++;
            return _real.Unprotect(protectedData);
        }
    }
}
