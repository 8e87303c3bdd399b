using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json.Nodes;

namespace RedisSession.Provider.Tests;

/// <summary>Reads what Python's <c>repr</c> writes, as far as the table of the original's answers has it; the rest is an error.</summary>
internal static class PythonLiteral
{
    /// <summary><c>None</c> or <c>b'…'</c>.</summary>
    public static byte[]? Bytes(string text)
    {
        if (text == "None") return null;
        if (!text.StartsWith('b')) throw Unreadable(text);
        var bytes = new List<byte>();
        foreach (char c in Quoted(text[1..]))
        {
            if (c > byte.MaxValue) throw Unreadable(text);
            bytes.Add((byte)c);
        }

        return [.. bytes];
    }

    /// <summary><c>'…'</c>.</summary>
    public static string Text(string text) => Quoted(text);

    /// <summary>An integer of any size.</summary>
    public static BigInteger Integer(string text) => BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <summary><c>True</c> or <c>False</c>.</summary>
    public static bool Truth(string text) => text switch
    {
        "True" => true,
        "False" => false,
        _ => throw Unreadable(text),
    };

    /// <summary>What Python's <c>json.loads</c> returned; its <c>nan</c> is no JSON and an error.</summary>
    public static JsonNode? Json(string text)
    {
        switch (text)
        {
            case "None": return null;
            case "True" or "False": return JsonValue.Create(Truth(text));
            case ['\'' or '"', ..]: return JsonValue.Create(Quoted(text));
            case ['[', .. var items, ']']: return new JsonArray([.. Split(items).Select(Json)]);
            case ['{', .. var members, '}']:
                var read = new JsonObject();
                foreach (string member in Split(members))
                {
                    int colon = member.IndexOf(':');
                    read.Add(Quoted(member[..colon].Trim()), Json(member[(colon + 1)..].Trim()));
                }

                return read;
            default:
                // Through JSON text, which keeps a number's digits however many there are; what is no number throws here.
                return JsonNode.Parse(text);
        }
    }

    // Enough for the table: none of its containers holds a text or another container with a comma.
    private static string[] Split(string items) =>
        items.Length == 0 ? [] : items.Split(',', StringSplitOptions.TrimEntries);

    private static string Quoted(string literal)
    {
        if (literal.Length < 2 || literal[0] is not ('\'' or '"') || literal[^1] != literal[0]) throw Unreadable(literal);
        var text = new StringBuilder();
        for (int i = 1; i < literal.Length - 1; i++)
        {
            if (literal[i] == literal[0]) throw Unreadable(literal);
            if (literal[i] != '\\')
            {
                text.Append(literal[i]);
                continue;
            }

            switch (literal[++i])
            {
                case 'n': text.Append('\n'); break;
                case 'r': text.Append('\r'); break;
                case 't': text.Append('\t'); break;
                case '\\' or '\'' or '"': text.Append(literal[i]); break;
                case 'x': text.Append(Hex(2)); break;
                case 'u': text.Append(Hex(4)); break;
                default: throw Unreadable(literal);
            }

            char Hex(int digits)
            {
                string hex = literal.Substring(i + 1, digits);
                i += digits;
                return (char)ushort.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            }
        }

        return text.ToString();
    }

    private static FormatException Unreadable(string text) => new($"Not a Python literal that this reads: {text}");
}
