using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace RedisSession.Provider;

/// <summary>
/// Which session key the text of a cookie is, for texts that were decrypted lately. It says who, never whether: Redis is asked as before.
/// </summary>
/// <remarks>
/// A table of a fixed size, without locks: a text has one place, which the last one takes. What cannot be decrypted never gets in, so
/// nobody can fill it with what he makes up. An entry is good for five minutes, and for the key ring that decrypted it. When that has
/// changed, nothing is remembered for a minute, because data protection goes on with the old one while it reads the new one. So a key that
/// is revoked here is refused as soon as data protection refuses it, and one that is revoked elsewhere five minutes later at most.
/// </remarks>
internal sealed class CookieCache(IOptions<RedisHashSessionOptions> options, TimeProvider clock, IServiceProvider services)
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Entry?[] _entries = new Entry?[options.Value.CookieCacheSize];
    private IChangeToken? _keyRing;
    private long _changed;

    public int Count => _entries.Count(entry => entry is not null);

    /// <summary>The session key; null where there is none in it.</summary>
    public string? KeyIn(string text, Func<string, string?> decrypt)
    {
        if (_entries.Length == 0) return decrypt(text);
        var keyRing = KeyRing();
        long now = clock.GetTimestamp();
        ref var place = ref _entries[(uint)text.GetHashCode() % (uint)_entries.Length]; // hashes of text cannot be foreseen
        if (Volatile.Read(ref place) is { } entry
            && entry.KeyRing == keyRing
            && clock.GetElapsedTime(entry.Since, now) < Life
            && CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(entry.Text.AsSpan()), MemoryMarshal.AsBytes(text.AsSpan())))
        {
            return entry.SessionKey;
        }

        string? sessionKey = decrypt(text);
        bool isSettled = _changed == 0 || clock.GetElapsedTime(_changed, now) >= Pause;
        if (sessionKey is not null && isSettled) Volatile.Write(ref place, new(text, sessionKey, keyRing, now));
        return sessionKey;
    }

    /// <summary>Another object after each change. Taken before decrypting, so what an older ring has decrypted is known by that.</summary>
    private IChangeToken KeyRing()
    {
        var keyRing = _keyRing;
        if (keyRing is { HasChanged: false }) return keyRing;
        if (keyRing is not null) _changed = clock.GetTimestamp();

        // An application that protects its cookies in another way need not have one.
        return _keyRing = services.GetService<IKeyManager>()?.GetCacheExpirationToken() is { } token
            ? new CancellationChangeToken(token)
            : new CancellationChangeToken(CancellationToken.None);
    }

    private sealed record Entry(string Text, string SessionKey, IChangeToken KeyRing, long Since);
}
