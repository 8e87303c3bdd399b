using System.Globalization;
using System.Text;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Makes external text safe to display: characters that are invisible or change how their neighbours look (control characters, marks of
/// writing direction, blanks other than the space, stacks of combining marks) are escaped, and long text is cut. Pure. HTML encoding is
/// done where HTML is created, not here.
/// </summary>
internal static class ShownText
{
    // Writing systems stack up to four marks on a character; more are meant to cover the surrounding text.
    private const int MostMarks = 4;

    // Characters that Unicode classifies as letters, marks and symbols although they are invisible: Default_Ignorable_Code_Points that
    // their category does not reveal, and blanks.
    private static readonly (int First, int Last)[] Invisible =
    [
        (0x034F, 0x034F), // combining grapheme joiner
        (0x115F, 0x1160), // Hangul fillers
        (0x17B4, 0x17B5), // Khmer inherent vowels, which are invisible
        (0x180B, 0x180F), // Mongolian variation selectors
        (0x2800, 0x2800), // Braille without a dot
        (0x3164, 0x3164), // Hangul filler
        (0xFE00, 0xFE0F), // variation selectors
        (0xFFA0, 0xFFA0), // halfwidth Hangul filler
        (0x13441, 0x13442), // Egyptian blanks
        (0x16FE4, 0x16FE4), // Khitan filler
        (0x1D159, 0x1D159), // null notehead
        (0xE0000, 0xE0FFF), // tags, variation selectors
    ];

    /// <summary>On one line.</summary>
    public static string Line(string text, int maxLength = 80) => Of(text, maxLength, isMultiLine: false);

    /// <summary>With its line breaks and tabs.</summary>
    public static string Block(string text, int maxLength) => Of(text, maxLength, isMultiLine: true);

    /// <summary>As much of it, as it is, as one line shows: <see cref="Line"/> of this is that of the whole.</summary>
    public static string StartOf(string text, int maxLength = 80) => string.Concat(text.EnumerateRunes().Take(maxLength + 1));

    private static string Of(string text, int maxLength, bool isMultiLine)
    {
        var shown = new StringBuilder(Math.Min(text.Length, maxLength) + 8);
        int marks = MostMarks; // a mark at the start has no base character
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length >= maxLength) return shown.Append('…').ToString();
            bool isBreak = isMultiLine && rune.Value is '\n' or '\r' or '\t';
            bool isOdd = IsOdd(rune);
            marks = isOdd ? MostMarks : IsMark(rune) ? marks + 1 : 0;
            if ((isOdd && !isBreak) || marks > MostMarks) shown.Append(CultureInfo.InvariantCulture, $"‹U+{rune.Value:X4}›");
            else shown.Append(rune.ToString());
        }

        return shown.ToString();
    }

    private static bool IsMark(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark;

    private static bool IsOdd(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse => true,
        UnicodeCategory.SpaceSeparator => rune.Value != ' ',
        _ => rune.Value >= Invisible[0].First && Invisible.Any(range => rune.Value >= range.First && rune.Value <= range.Last),
    };
}
