using System.Globalization;
using System.Text;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Text from outside as a person can be shown it: what has no look of its own, or changes that of its neighbours (control characters, marks
/// of writing direction, blanks that are no space, towers of combining marks), is spelled out, and what is long is cut. Pure. HTML encoding
/// is not done here but where HTML is made.
/// </summary>
internal static class ShownText
{
    // Writing systems stack up to four marks on a character; more are made to cover what is around them.
    private const int MostMarks = 4;

    // What Unicode counts as letters, marks and symbols although nothing is to be seen of it: its Default_Ignorable_Code_Points that have
    // no other category which tells, and blanks.
    private static readonly (int First, int Last)[] Invisible =
    [
        (0x034F, 0x034F), // combining grapheme joiner
        (0x115F, 0x1160), // Hangul fillers
        (0x17B4, 0x17B5), // Khmer vowels that are not written
        (0x180B, 0x180F), // Mongolian variation selectors
        (0x2800, 0x2800), // Braille without a dot
        (0x3164, 0x3164), // Hangul filler
        (0xFE00, 0xFE0F), // variation selectors
        (0xFFA0, 0xFFA0), // Hangul filler of half width
        (0x13441, 0x13442), // Egyptian blanks
        (0x16FE4, 0x16FE4), // Khitan filler
        (0x1D159, 0x1D159), // a note without a head
        (0xE0000, 0xE0FFF), // tags, variation selectors
    ];

    /// <summary>On one line.</summary>
    public static string Line(string text, int maxLength = 80) => Of(text, maxLength, isMultiLine: false);

    /// <summary>With its line breaks and tabs.</summary>
    public static string Block(string text, int maxLength) => Of(text, maxLength, isMultiLine: true);

    private static string Of(string text, int maxLength, bool isMultiLine)
    {
        var shown = new StringBuilder(Math.Min(text.Length, maxLength) + 8);
        int marks = MostMarks; // at the beginning there is nothing of its own to stand on
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
