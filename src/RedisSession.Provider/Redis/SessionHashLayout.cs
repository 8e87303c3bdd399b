using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>What a session looks like in Redis. Pure: nothing here talks to a server.</summary>
/// <remarks>
/// <code>
/// key     {prefix}sessions:{id}     e.g. app:sessions:3q2-7wAAAA…   always with a TTL
/// fields  @gen      the hash's generation: 8 characters, random
///         @created  unix time of its creation in milliseconds, by the server's clock
///         @user     the session's owner, once known
///         @auto     1 if that user was taken from the request automatically, so that another may replace them
///         @lock     while a request holds the session's lock: see LockScripts
///         cart      the session key "cart", UTF-8, verbatim; the value is the bytes that were set
///         @@x       the session key "@x": a leading @ is doubled, because @… is ours
///
/// key     {prefix}users:{base64url(SHA-256(user))}   a sorted set, one for each user with sessions; always with a TTL
/// member  the id of a session that is, or was a moment ago, this user's: the session's @user has the last word
/// score   unix time in microseconds, by the server's clock, from which the entry is no longer needed: the session is gone by then
///
/// key     {prefix}sessions:{{prefix}sessions:{id}}   a session whose key was renewed, in case its new cookie was not sent; with a TTL
///
/// If there is an ISessionLifecycle, always with TTLs:
/// key     {prefix}owners:{id}    the user of a session, read when the session has expired
/// key     {prefix}claims:{id}    an instance reports that the session has expired
/// key     {prefix}lifecycle      which instances listened when: see ListeningScripts
/// key     {prefix}lifecycle:{instance}:…   expires at once, to check that this is reported
/// </code>
/// </remarks>
internal static class SessionHashLayout
{
    /// <summary>As in ASP.NET Core: a session key has at most this many bytes in UTF-8.</summary>
    public const int MaxKeyBytes = ushort.MaxValue;

    public const string Generation = "@gen";
    public const string Created = "@created";
    public const string User = "@user";
    public const string Automatic = "@auto";
    public const string Lock = "@lock";

    private const char Reserved = '@';

    public static RedisKey KeyOf(string prefix, string id) => $"{prefix}sessions:{id}";

    /// <summary>The prefix of all sessions' Redis keys, in UTF-8.</summary>
    public static byte[] KeyStart(string prefix) => Encoding.UTF8.GetBytes($"{prefix}sessions:");

    /// <summary>The Redis key of a session in UTF-8, without making a string of its id.</summary>
    public static byte[] KeyOf(byte[] keyStart, string sessionKey)
    {
        byte[] key = new byte[keyStart.Length + SessionId.Length];
        keyStart.CopyTo(key, 0);
        SessionId.Write(sessionKey, key.AsSpan(keyStart.Length));
        return key;
    }

    /// <summary>
    /// The key of a user's session list. A digest, so that a name of any content and length makes a key, no name can be mistaken for
    /// anything else, and none shows in key names.
    /// </summary>
    public static RedisKey UserKeyOf(string prefix, string user)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(user), digest);
        return $"{prefix}users:{Base64Url.EncodeToString(digest)}";
    }

    /// <summary>
    /// A session's key, and the key where it is parked after a renewal: see <see cref="RenewalScripts"/>. In the same cluster slot, and
    /// under a name that needs no permission of its own. Only the former if it does not end with a session id.
    /// </summary>
    public static RedisKey[] WithParked(RedisKey key)
    {
        byte[] whole = key!;
        int start = whole.Length - SessionId.Length;
        if (start < 0 || !SessionId.IsOne(Encoding.UTF8.GetString(whole.AsSpan(start)))) return [key];
        return [key, (byte[])[.. whole.AsSpan(0, start), (byte)'{', .. whole, (byte)'}']];
    }

    /// <summary>
    /// Whether sessions with this prefix are parked in their own cluster slot. Not if it has a brace that opens or closes no hash tag: then
    /// a slot depends on the whole of a session's key, and on another part of the parked one's.
    /// </summary>
    public static bool IsParkedInSlot(string prefix)
    {
        var keys = WithParked(KeyOf(prefix, SessionId.Of("")));
        return HashedPartOf(keys[0]!) == HashedPartOf(keys[1]!);
    }

    /// <summary>What the slot of a key depends on: the text in the first braces, if there is any; else the whole key.</summary>
    private static string HashedPartOf(string key)
    {
        int open = key.IndexOf('{', StringComparison.Ordinal);
        int close = open < 0 ? -1 : key.IndexOf('}', open);
        return close > open + 1 ? key[(open + 1)..close] : key;
    }

    public static RedisKey OwnerKeyOf(string prefix, string id) => $"{prefix}owners:{id}";

    public static RedisKey ClaimKeyOf(string prefix, string id) => $"{prefix}claims:{id}";

    public static RedisKey LifecycleKeyOf(string prefix) => $"{prefix}lifecycle";

    /// <summary>The hash field that holds the session key <paramref name="sessionKey"/>.</summary>
    public static string FieldOf(string sessionKey) =>
        sessionKey.StartsWith(Reserved) ? Reserved + sessionKey : sessionKey;

    /// <summary>The session key that <paramref name="field"/> holds; null when the field is one of ours.</summary>
    public static string? SessionKeyOf(RedisValue field)
    {
        string text = field.ToString();
        if (!text.StartsWith(Reserved)) return text;
        return text.Length > 1 && text[1] == Reserved ? text[1..] : null;
    }

    /// <summary>
    /// The session key, or the user, as it comes back from Redis: half a surrogate pair, which UTF-8 cannot encode, becomes U+FFFD at once,
    /// so that a request finds what it set. As in ASP.NET Core, where keys are equal when their bytes are.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    public static string Normalize(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        bool hasSurrogates = key.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF');
        return hasSurrogates ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(key)) : key;
    }

    /// <summary>Refuses what cannot be a session key, as ASP.NET Core does.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="key"/> is longer than <see cref="MaxKeyBytes"/> in UTF-8.</exception>
    public static void ThrowIfNotAKey(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        // A UTF-16 unit takes at most 3 bytes, so short keys need no counting.
        if (key.Length > MaxKeyBytes / 3 && Encoding.UTF8.GetByteCount(key) > MaxKeyBytes)
        {
            throw new ArgumentOutOfRangeException(nameof(key), $"A session key cannot be longer than {MaxKeyBytes} bytes in UTF-8.");
        }
    }
}
