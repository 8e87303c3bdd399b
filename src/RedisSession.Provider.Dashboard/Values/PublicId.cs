using System.Buffers;

namespace RedisSession.Provider.Dashboard;

/// <summary>The format of a session's public id: 43 characters of base64url. Pure.</summary>
internal static class PublicId
{
    /// <summary>How many of its characters are shown if there is no room for all.</summary>
    public const int Shown = 10;

    private const int Length = 43;

    // Anything shorter could be the beginning of some id by chance.
    private const int ShortestStart = 4;

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public static bool IsOne(string text) => text.Length == Length && !text.AsSpan().ContainsAnyExcept(Characters);

    /// <summary>The beginning of an id in <paramref name="text"/>, such as the part that a page shows; null if it cannot be one.</summary>
    public static string? StartIn(string text)
    {
        string start = text.Trim().TrimEnd('…');
        return start.Length is >= ShortestStart and < Length && !start.AsSpan().ContainsAnyExcept(Characters) ? start : null;
    }

    public static string Shorten(string id) => ShownText.Line(id, Shown);
}
