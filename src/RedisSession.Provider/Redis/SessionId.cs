using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace RedisSession.Provider;

/// <summary>
/// The public name of a session: base64url of SHA-256(session key), 43 characters. The session key is the secret in the
/// cookie; the id cannot be turned back into it, so whoever reads Redis or the logs cannot take over a session.
/// </summary>
internal static class SessionId
{
    public const int Length = 43;

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public static string Of(string sessionKey) => string.Create(Length, sessionKey, static (id, key) =>
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(key, digest);
        Base64Url.EncodeToChars(digest, id);
    });

    /// <summary>Writes the id in UTF-8, for callers that need no string.</summary>
    public static void Write(string sessionKey, Span<byte> id)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(sessionKey, digest);
        Base64Url.EncodeToUtf8(digest, id);
    }

    /// <summary>
    /// A number for tables, from an id in UTF-8. An id is a digest of a secret, so nobody can choose one that collides with another's; its
    /// characters carry six bits in eight, and are mixed. Never 0.
    /// </summary>
    public static ulong NumberOf(ReadOnlySpan<byte> id)
    {
        ulong characters = MemoryMarshal.Read<ulong>(id) * 0x9E3779B97F4A7C15;
        return (characters ^ (characters >> 32) ^ MemoryMarshal.Read<ulong>(id[sizeof(ulong)..])) | 1UL << 63;
    }

    private static void Hash(string sessionKey, Span<byte> digest)
    {
        int length = Encoding.UTF8.GetMaxByteCount(sessionKey.Length);
        Span<byte> buffer = length <= 256 ? stackalloc byte[256] : new byte[length];
        SHA256.HashData(buffer[..Encoding.UTF8.GetBytes(sessionKey, buffer)], digest);
    }

    /// <summary>Whether <paramref name="text"/> can be a session's id.</summary>
    public static bool IsOne(ReadOnlySpan<char> text) => text.Length == Length && IsStartOfOne(text);

    /// <summary>Whether a session's id can begin with <paramref name="text"/>.</summary>
    public static bool IsStartOfOne(ReadOnlySpan<char> text) => text.Length <= Length && text.IndexOfAnyExcept(Characters) < 0;
}
