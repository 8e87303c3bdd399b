using System.Globalization;
using System.Text;

namespace RedisSession.Provider;

/// <summary>
/// Makes external text safe for a log: on one line. Characters that would end the line or change how it looks (control characters, marks of
/// writing direction) are escaped: choosing a name must not let anyone write lines into the log. Pure.
/// </summary>
internal static class LogText
{
    public static string Line(string text)
    {
        if (!text.Any(IsOdd)) return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (char character in text)
        {
            if (IsOdd(character)) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else shown.Append(character);
        }

        return shown.ToString();
    }

    private static bool IsOdd(char character) => char.GetUnicodeCategory(character) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
