using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace RedisSession.Provider;

/// <summary>Where a walk over all keys stands: at which server, and at which of its cursors. Pure.</summary>
/// <remarks>
/// As text, for who goes on later: the cursor, a hyphen, 8 characters of a digest of the server's address. It comes back from browsers, and
/// so it can only choose among servers that are known, and tells nobody where they are.
/// </remarks>
internal readonly record struct ScanPosition(string Server, ulong Cursor)
{
    private const int Digits = 8;

    /// <summary>The beginning, at whichever server is the first.</summary>
    public static ScanPosition Start { get; } = new("", 0);

    /// <summary>The name of a server in here.</summary>
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
