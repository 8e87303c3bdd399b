using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace RedisSession.Provider;

/// <summary>The position of a walk over all keys: a server, and a cursor of it. Pure.</summary>
/// <remarks>
/// As text, to resume later: the cursor, a hyphen, 8 characters of a digest of the server's address. Browsers send it back, so it can only
/// select among known servers, and does not reveal where they are.
/// </remarks>
internal readonly record struct ScanPosition(string Server, ulong Cursor)
{
    private const int Digits = 8;

    /// <summary>The beginning, at the first server.</summary>
    public static ScanPosition Start { get; } = new("", 0);

    /// <summary>A server's name in a position.</summary>
    public static string NameOf(EndPoint server) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(server.ToString()!)).AsSpan(0, Digits / 2));

    public static bool TryParse(string text, out ScanPosition position)
    {
        position = Start;
        int hyphen = text.IndexOf('-', StringComparison.Ordinal);
        if (hyphen < 0 || text.Length - hyphen - 1 != Digits) return false;
        if (!ulong.TryParse(text.AsSpan(0, hyphen), NumberStyles.None, CultureInfo.InvariantCulture, out ulong cursor)) return false;
        position = new(text[(hyphen + 1)..], cursor);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Cursor}-{Server}");
}
