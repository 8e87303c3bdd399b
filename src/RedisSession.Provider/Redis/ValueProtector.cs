using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;

namespace RedisSession.Provider;

/// <summary>
/// Encrypts the values of one session with ASP.NET Core data protection. The session's id is part of the purpose, so that a value
/// that is moved to another session cannot be read there.
/// </summary>
/// <remarks>
/// <code>
/// value   00 64 70 31   then what data protection makes of it       protected
///         00 64 70 32   then what it makes, for another purpose, of another id, 00, and a protected value
///                                                                   kept: that value of that session, which has become this one
///         anything else                                             written before protection was switched on: read as is
/// </code>
/// </remarks>
internal sealed class ValueProtector(IDataProtectionProvider dataProtection, string sessionId, ILogger logger)
{
    private const string Purpose = "RedisSession.Provider.Values";

    private readonly string _id = sessionId;
    private readonly IDataProtector _protector = dataProtection.CreateProtector(Purpose, sessionId);

    private static ReadOnlySpan<byte> Mark => [0, (byte)'d', (byte)'p', (byte)'1'];

    private static ReadOnlySpan<byte> KeptMark => [0, (byte)'d', (byte)'p', (byte)'2'];

    public byte[] Protect(byte[] value) => [.. Mark, .. _protector.Protect(value)];

    /// <summary>Null for null, and for what cannot be decrypted here: another session's value, a lost key, damage.</summary>
    public byte[]? Unprotect(byte[]? value)
    {
        if (value is null || !(IsMarked(value, Mark) || IsMarked(value, KeptMark))) return value;
        try
        {
            return Unprotect(_id, value);
        }
        catch (CryptographicException error)
        {
            logger.ValueUnreadable(_id, error);
            return null;
        }
    }

    /// <summary>
    /// A value of the session that becomes this one, for this one. What cannot be decrypted is kept as it is, encrypted once more with its
    /// session's id: its key may be missing only for a while.
    /// </summary>
    public byte[] Adopt(byte[] value, ValueProtector old)
    {
        if (old.Unprotect(value) is { } plain) return Protect(plain);
        var (id, kept) = old.TryUnwrap(value) ?? (old._id, value);
        return [.. KeptMark, .. KeeperOf(_id).Protect([.. Encoding.UTF8.GetBytes(id), 0, .. kept])];
    }

    private byte[] Unprotect(string id, byte[] value)
    {
        if (IsMarked(value, KeptMark))
        {
            var (before, kept) = Unwrap(id, value);
            return Unprotect(before, kept);
        }

        var protector = id == _id ? _protector : dataProtection.CreateProtector(Purpose, id);
        return protector.Unprotect(value[Mark.Length..]);
    }

    /// <summary>What is kept in a value; null if nothing is, or it cannot be told.</summary>
    private (string Id, byte[] Value)? TryUnwrap(byte[] value)
    {
        try
        {
            return IsMarked(value, KeptMark) ? Unwrap(_id, value) : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private (string Id, byte[] Value) Unwrap(string id, byte[] value)
    {
        byte[] content = KeeperOf(id).Unprotect(value[KeptMark.Length..]);
        int end = content.IndexOf((byte)0);
        return (Encoding.UTF8.GetString(content.AsSpan(0, end)), content[(end + 1)..]);
    }

    // For a purpose of its own: else whoever can write to Redis, and have the application set a value, could make up one that is kept.
    private IDataProtector KeeperOf(string id) => dataProtection.CreateProtector(Purpose, id, "kept");

    // SetInt32 may have written the four bytes of a mark; nothing protected is that short.
    private static bool IsMarked(byte[] value, ReadOnlySpan<byte> mark) => value.Length > mark.Length && value.AsSpan().StartsWith(mark);
}
