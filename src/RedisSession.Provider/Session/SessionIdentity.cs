using System.Text;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// One session key and what follows from it. A session whose key is renewed gets another identity: the object is the epoch that shows which
/// key an answer was asked under.
/// </summary>
/// <param name="sessionKey">The secret in the cookie; null for a new one, which is created when needed.</param>
/// <param name="isNew">The key was created for this very request: nobody else can know it.</param>
/// <param name="names">What the identities of all sessions share.</param>
internal sealed class SessionIdentity(string? sessionKey, bool isNew, SessionNames names)
{
    // Created when needed: many requests never need them.
    private string? _sessionKey = sessionKey;
    private string? _id;
    private byte[]? _redisKey;
    private ValueProtector? _protector;

    public string SessionKey =>
        _sessionKey ?? Interlocked.CompareExchange(ref _sessionKey, SessionCookie.NewSessionKey(), null) ?? _sessionKey;

    public bool IsNew => isNew;

    /// <summary>base64url(SHA-256(session key)): public.</summary>
    public string Id => _id ??= Encoding.UTF8.GetString(IdBytes);

    /// <summary>The id in UTF-8.</summary>
    public ReadOnlySpan<byte> IdBytes => KeyBytes.AsSpan(names.KeyStart.Length);

    public RedisKey RedisKey => KeyBytes;

    /// <inheritdoc cref="SessionHashLayout.WithParked"/>
    public RedisKey[] RedisKeyWithParked => SessionHashLayout.WithParked(RedisKey);

    /// <summary>Null where values are not encrypted.</summary>
    public ValueProtector? Protector => _protector ??= names.ProtectorOf(this);

    private byte[] KeyBytes => _redisKey ??= SessionHashLayout.KeyOf(names.KeyStart, SessionKey);
}
