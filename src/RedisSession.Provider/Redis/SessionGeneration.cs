using System.Buffers.Text;

namespace RedisSession.Provider;

/// <summary>
/// The random mark that a hash is given when it is created. It tells "the session I saw" from "another one that now lives
/// under the same key": a cookie outlives its session, so the same id can come back with a new life.
/// </summary>
internal static class SessionGeneration
{
    private const int ByteCount = 12; // two lives of one id must differ; 96 random bits never repeat

    public static string Create()
    {
        Span<byte> random = stackalloc byte[ByteCount];
        Random.Shared.NextBytes(random); // it is no secret, and this costs a tenth
        return Base64Url.EncodeToString(random);
    }
}
