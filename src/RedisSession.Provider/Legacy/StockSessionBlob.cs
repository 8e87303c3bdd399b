using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace RedisSession.Provider;

/// <summary>
/// A whole session as AddSession stores it in a cache: one block of bytes. Pure. The bytes are untrusted: parsing them never throws, and
/// uses memory in proportion to their actual number, not to the lengths that they claim.
/// </summary>
/// <remarks>
/// <code>
/// 1 byte    revision: 2
/// 3 bytes   number of entries
/// 16 bytes  the session's id, which is of no use here
/// then for each entry
/// 2 bytes   length of the key       then the key in UTF-8
/// 4 bytes   length of the value     then the value
/// </code>
/// Numbers are big-endian. This is what ASP.NET Core's DistributedSession writes. It accepts more than that when reading: bytes after the
/// last entry, and keys that are not UTF-8. Here both mean that the bytes are not a session.
/// </remarks>
internal static class StockSessionBlob
{
    private const byte Revision = 2;
    private const int IdLength = 16;
    private const int HeaderLength = 1 + 3 + IdLength;
    private const int LeastEntryLength = 2 + 4;

    /// <summary>The keys and values of the session; false if the bytes are not exactly one complete session.</summary>
    public static bool TryParse(ReadOnlySpan<byte> blob, [NotNullWhen(true)] out Dictionary<string, byte[]>? values)
    {
        values = null;
        if (blob.Length < HeaderLength || blob[0] != Revision) return false;
        int count = (blob[1] << 16) | (blob[2] << 8) | blob[3];
        var rest = blob[HeaderLength..];
        if (rest.Length / LeastEntryLength < count) return false;

        var parsed = new Dictionary<string, byte[]>();
        for (int i = 0; i < count; i++)
        {
            if (!TryTake(ref rest, sizeof(ushort), out var length)) return false;
            if (!TryTake(ref rest, BinaryPrimitives.ReadUInt16BigEndian(length), out var key) || !Utf8.IsValid(key)) return false;
            if (!TryTake(ref rest, sizeof(uint), out length)) return false;
            if (!TryTake(ref rest, BinaryPrimitives.ReadUInt32BigEndian(length), out var value)) return false;
            parsed[Encoding.UTF8.GetString(key)] = value.ToArray();
        }

        if (!rest.IsEmpty) return false;
        values = parsed;
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> rest, uint length, out ReadOnlySpan<byte> taken)
    {
        if (length > (uint)rest.Length)
        {
            taken = default;
            return false;
        }

        taken = rest[..(int)length];
        rest = rest[(int)length..];
        return true;
    }
}
