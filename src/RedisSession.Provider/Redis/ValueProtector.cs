using System.Security.Cryptography;
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
///         anything else                                             written before protection was switched on: read as is
/// </code>
/// </remarks>
internal sealed class ValueProtector(IDataProtectionProvider dataProtection, string sessionId, ILogger logger)
{
    private readonly IDataProtector _protector = dataProtection.CreateProtector("RedisSession.Provider.Values", sessionId);

    private static ReadOnlySpan<byte> Mark => [0, (byte)'d', (byte)'p', (byte)'1'];

    public byte[] Protect(byte[] value) => [.. Mark, .. _protector.Protect(value)];

    /// <summary>Null for null, and for what cannot be decrypted here: another session's value, a lost key, damage.</summary>
    public byte[]? Unprotect(byte[]? value)
    {
        // SetInt32 may have written the four bytes of the mark; nothing protected is that short.
        if (value is null || value.Length <= Mark.Length || !value.AsSpan().StartsWith(Mark)) return value;
        try
        {
            return _protector.Unprotect(value[Mark.Length..]);
        }
        catch (CryptographicException error)
        {
            logger.ValueUnreadable(sessionId, error);
            return null;
        }
    }
}
