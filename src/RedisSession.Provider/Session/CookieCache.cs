using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace RedisSession.Provider;

/// <summary>
/// Maps recently decrypted cookie texts to their session keys. It says which session, never whether it exists: Redis is still asked.
/// </summary>
/// <remarks>
/// A fixed-size table without locks: each text has one slot, which the latest text takes. Text that cannot be decrypted is never stored, so
/// nobody can fill the table with made-up cookies. An entry is valid for five minutes, and only for the key ring that decrypted it. After
/// the ring changes, nothing is stored for a minute, because data protection keeps using the old one while it reads the new one. So a key
/// revoked here is refused as soon as data protection refuses it, and one revoked elsewhere at most five minutes later.
/// </remarks>
internal sealed class CookieCache(IOptions<RedisHashSessionOptions> options, TimeProvider clock, IServiceProvider services)
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Entry?[] _entries = new Entry?[options.Value.CookieCacheSize];
    private IChangeToken? _keyRing;
    private long _changed;

    public int Count => _entries.Count(entry => entry is not null);

    /// <summary>The session key in the text; null if it has none.</summary>
    public string? KeyIn(string text, Func<string, string?> decrypt)
    {
        if (_entries.Length == 0) return decrypt(text);
        var keyRing = KeyRing();
        long now = clock.GetTimestamp();
        ref var place = ref _entries[(uint)text.GetHashCode() % (uint)_entries.Length]; // string hash codes cannot be predicted
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

    /// <summary>A new object after each change. Taken before decrypting, so that what an older ring decrypted can be recognized.</summary>
    private IChangeToken KeyRing()
    {
        var keyRing = _keyRing;
        if (keyRing is { HasChanged: false }) return keyRing;
        if (keyRing is not null) _changed = clock.GetTimestamp();

        // An application that protects its cookies another way need not have one.
        return _keyRing = services.GetService<IKeyManager>()?.GetCacheExpirationToken() is { } token
            ? new CancellationChangeToken(token)
            : new CancellationChangeToken(CancellationToken.None);
    }

    private sealed record Entry(string Text, string SessionKey, IChangeToken KeyRing, long Since);
}
