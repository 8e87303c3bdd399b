using System.Buffers.Text;

namespace RedisSession.Provider;

/// <summary>
/// The random mark that a hash is given when it is created. It tells "the session I saw" from "another one that now lives
/// under the same key": a cookie outlives its session, so the same id can come back with a new life.
/// </summary>
internal static class SessionGeneration
{
    // Two lives of one id must differ, and 48 random bits suffice: the next one is the same in one of 281,474,976,710,656 cases. No more,
    // because the client stores up to 8 characters in the reply's value itself.
    private const int ByteCount = 6;

    /// <summary>A value that no session has: for a request whose session has ended.</summary>
    public const string None = "-";

    public static string Create()
    {
        Span<byte> random = stackalloc byte[ByteCount];
        Random.Shared.NextBytes(random); // it is no secret, and this costs a tenth
        return Base64Url.EncodeToString(random);
    }
}
