using System.Globalization;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// The cursors at which the known pages of a list begin: SCAN only moves forward, so only the pages already visited can be returned to.
/// The links carry the trail. Pure.
/// </summary>
/// <param name="First">The number of the page that begins at the first cursor: 2, or more if the trail is long.</param>
/// <param name="Cursors">Where that page and the following ones begin.</param>
internal sealed record Trail(int First, IReadOnlyList<string> Cursors)
{
    // As many as an address has room for.
    public const int Longest = 20;

    private const int LongestCursor = 40;

    public static Trail None { get; } = new(2, []);

    /// <summary>The last known page.</summary>
    public int Last => Cursors.Count == 0 ? 1 : First + Cursors.Count - 1;

    /// <summary>Whether the start of that page is known.</summary>
    public bool Knows(int page) => page == 1 || (page >= First && page <= Last);

    /// <summary>Where that page begins; null for the first page and for unknown ones.</summary>
    public string? CursorOf(int page) => page >= First && page <= Last ? Cursors[page - First] : null;

    /// <summary>The trail with that page, which begins at <paramref name="cursor"/>.</summary>
    public Trail With(int page, string cursor)
    {
        if (CursorOf(page) == cursor) return this; // keeps the pages known after it
        if (!Knows(page - 1) || Cursors.Count == 0) return new(page, [cursor]);
        string[] all = [.. Cursors.Take(page - First), cursor];
        int tooMany = Math.Max(0, all.Length - Longest);
        return new(Math.Min(First, page) + tooMany, all[tooMany..]);
    }

    /// <summary>Invalid text yields an empty trail.</summary>
    public static Trail Parse(string? text)
    {
        string[] parts = text?.Split('.') ?? [];
        if (parts.Length is < 2 or > Longest + 1) return None;
        bool isTrail = int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
            && first is >= 2 and < 1_000_000
            && parts[1..].All(IsCursor);
        return isTrail ? new(first, parts[1..]) : None;
    }

    private static bool IsCursor(string text) =>
        text.Length is > 0 and <= LongestCursor && text.All(static one => char.IsAsciiLetterOrDigit(one) || one == '-');

    public override string ToString() =>
        Cursors.Count == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{First}.{string.Join('.', Cursors)}");
}
