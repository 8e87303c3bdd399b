using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace RedisSession.Provider;

/// <summary>
/// The public name of a session: base64url of SHA-256(session key), 43 characters. The session key is the secret in the
/// cookie; the id cannot be turned back into it, so whoever reads Redis or the logs cannot take over a session.
/// </summary>
internal static class SessionId
{
    public static string Of(string sessionKey)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(sessionKey), digest);
        return Base64Url.EncodeToString(digest);
    }
}
