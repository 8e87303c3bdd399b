using System.Globalization;
using System.Text;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Text from outside as a person can be shown it: what has no look of its own, or changes that of its neighbours (control characters, marks
/// of writing direction, invisible ones), is spelled out, and what is long is cut. Pure. HTML encoding is not done here but where HTML is
/// made.
/// </summary>
internal static class ShownText
{
    /// <summary>On one line.</summary>
    public static string Line(string text, int maxLength = 80) => Of(text, maxLength, isMultiLine: false);

    /// <summary>With its line breaks and tabs.</summary>
    public static string Block(string text, int maxLength) => Of(text, maxLength, isMultiLine: true);

    private static string Of(string text, int maxLength, bool isMultiLine)
    {
        var shown = new StringBuilder(Math.Min(text.Length, maxLength) + 8);
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length >= maxLength) return shown.Append('…').ToString();
            bool isBreak = isMultiLine && rune.Value is '\n' or '\r' or '\t';
            if (IsOdd(rune) && !isBreak) shown.Append(CultureInfo.InvariantCulture, $"‹U+{rune.Value:X4}›");
            else shown.Append(rune.ToString());
        }

        return shown.ToString();
    }

    private static bool IsOdd(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse;
}
