using System.Buffers;
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
    private const int Length = 43;

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public static string Of(string sessionKey)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(sessionKey), digest);
        return Base64Url.EncodeToString(digest);
    }

    /// <summary>Whether <paramref name="text"/> can be a session's id.</summary>
    public static bool IsOne(ReadOnlySpan<char> text) => text.Length == Length && text.IndexOfAnyExcept(Characters) < 0;
}
