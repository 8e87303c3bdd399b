using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace RedisSession.Provider.Tests;

/// <summary>Sessions with encrypted values that are renewed while the key ring does not have every key.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class KeyRingTests(ServerKind kind)
{
    [Test]
    public async Task A_value_whose_key_is_missing_for_a_while_is_readable_again_though_the_session_was_renewed(
        [Values] RedisSessionMode mode, [Values(1, 3)] int renewals)
    {
        var ring = new KeyRing();
        await using var app = await StartAsync(ring, mode);
        using var browser = await app.NewVisitorAsync();
        string oldId = browser.SessionId;
        ring.Lacks = true;
        for (int i = 0; i < renewals; i++) await browser.RenewAsync("ann");
        Assert.That(browser.SessionId, Is.Not.EqualTo(oldId));
        Assert.That(await browser.GetStringAsync("key"), Is.Null);
        ring.Lacks = false;
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));

        // From here on it is a value like any other.
        await browser.RenewAsync();
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
    }

    [Test]
    public async Task A_value_whose_key_is_gone_for_good_prevents_no_sign_in_and_does_not_grow_with_each()
    {
        var ring = new KeyRing();
        await using var app = await StartAsync(ring, RedisSessionMode.Buffered);
        using var browser = await app.NewVisitorAsync();
        ring.Loses("old"u8.ToArray());
        var lengths = new List<long>();
        for (int i = 0; i < 3; i++)
        {
            await browser.RenewAsync("ann");
            await browser.SetStringAsync("since", "readable");
            lengths.Add((await app.Directory.GetAsync(browser.SessionId))!.SizeInBytes ?? 0);
            Assert.That(await browser.GetStringAsync("key"), Is.Null);
        }

        Assert.That(lengths[2], Is.EqualTo(lengths[0]));
        Assert.That(await browser.GetStringAsync("since"), Is.EqualTo("readable"));
    }

    /// <summary>Somebody who can write to Redis, and has the application set a value, makes up no value that is kept.</summary>
    [Test]
    public async Task What_is_kept_of_a_session_is_read_in_no_other()
    {
        var ring = new KeyRing();
        await using var app = await StartAsync(ring, RedisSessionMode.Buffered);
        var stack = new OurStack(kind, keyPrefix: Prefix);
        var redis = await stack.DatabaseAsync();
        using var rich = await app.NewVisitorAsync();
        byte[] plain = (byte[])(await redis.HashGetAsync(stack.KeyOf(rich.SessionId), "key"))!;
        using var poor = app.NewBrowser();
        await poor.VisitAsync(session => session.Set("key", [.. System.Text.Encoding.UTF8.GetBytes(rich.SessionId), 0, .. plain]));
        byte[] made = (byte[])(await redis.HashGetAsync(stack.KeyOf(poor.SessionId), "key"))!;
        made[3] = (byte)'2'; // says that it is kept
        await redis.HashSetAsync(stack.KeyOf(poor.SessionId), "key", made);
        Assert.That(await poor.GetStringAsync("key"), Is.Null);

        ring.Lacks = true;
        await rich.RenewAsync();
        ring.Lacks = false;
        byte[] kept = (byte[])(await redis.HashGetAsync(stack.KeyOf(rich.SessionId), "key"))!;
        await redis.HashSetAsync(stack.KeyOf(poor.SessionId), "key", kept);
        Assert.That(await poor.GetStringAsync("key"), Is.Null);
        await poor.RenewAsync();
        Assert.That(await poor.GetStringAsync("key"), Is.Null);
        Assert.That(await rich.GetStringAsync("key"), Is.EqualTo("old"));
    }

    private string Prefix { get; } = SessionStack.NewKeyPrefix();

    private Task<TestApp> StartAsync(KeyRing ring, RedisSessionMode mode) => new OurStack(kind, keyPrefix: Prefix).StartAsync(
        options => (options.ProtectValues, options.Mode, options.FailureMode) = (true, mode, FailureMode.Throw),
        services => services.AddSingleton<IDataProtectionProvider>(_ => ring.Of(services)));

    /// <summary>One that can lack the keys of values; cookies are always read.</summary>
    private sealed class KeyRing : IDataProtectionProvider
    {
        private IDataProtectionProvider _all = null!;
        private byte[]? _lost;

        public bool Lacks { get; set; }

        /// <summary>With the keys that the application would have.</summary>
        public KeyRing Of(IServiceCollection services)
        {
            _all = services.Select(service => service.ImplementationInstance).OfType<IDataProtectionProvider>().Last();
            return this;
        }

        /// <summary>The key with which this was encrypted is gone for good.</summary>
        public void Loses(byte[] value) => _lost = value;

        public IDataProtector CreateProtector(string purpose) =>
            new Protector(this, _all.CreateProtector(purpose), purpose.EndsWith(".Values", StringComparison.Ordinal));

        private sealed class Protector(KeyRing ring, IDataProtector inner, bool isOfValues) : IDataProtector
        {
            public IDataProtector CreateProtector(string purpose) => new Protector(ring, inner.CreateProtector(purpose), isOfValues);

            public byte[] Protect(byte[] plaintext) => inner.Protect(plaintext);

            public byte[] Unprotect(byte[] protectedData)
            {
                byte[] value = inner.Unprotect(protectedData);
                bool isLost = isOfValues && (ring.Lacks || (ring._lost is { } lost && lost.SequenceEqual(value)));
                return isLost ? throw new CryptographicException("The key was not found in the key ring.") : value;
            }
        }
    }
}
