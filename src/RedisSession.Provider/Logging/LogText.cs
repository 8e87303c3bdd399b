using System.Globalization;
using System.Text;

namespace RedisSession.Provider;

/// <summary>
/// Text from outside as a log can have it: on one line. What would end it, or change how it looks (control characters, marks of writing
/// direction), is spelled out: who chooses a name must not write lines into the log. Pure.
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
