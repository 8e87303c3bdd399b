using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace RedisSession.Provider.Dashboard;

/// <summary>A session value as the type that it appears to be. Pure; no content makes it fail.</summary>
/// <param name="Kind">Its type, in a word.</param>
/// <param name="Text">Its text, shortened if it is long.</param>
/// <param name="Note">A note to show beside it; null if there is none.</param>
/// <param name="Line">The same on one line if it is short enough; otherwise null.</param>
internal sealed record ShownValue(string Kind, string Text, string? Note = null, string? Line = null)
{
    public const string BytesKind = "bytes";

    // As much as fits in a table row.
    private const int LongestLine = 100;

    // Longer text is cut.
    private const int MaxLength = 4000;

    // Only the beginning of longer values is examined, and they are not parsed as JSON.
    private const int MaxBytes = 64 * 1024;

    private const int BytesOfDump = 256;
    private const int BytesOfLine = 16;

    public static ShownValue Of(byte[] value)
    {
        if (value.Length == 0) return new("empty", "", Line: "");
        if (!IsText(value)) return Bytes(value);
        if (value.Length <= MaxBytes)
        {
            string text = Encoding.UTF8.GetString(value);
            if (text is "True" or "False" or "true" or "false") return new("bool", text, Line: text);
            if (IsNumber(text)) return new("number", text, Line: text);
            if (TryIndent(value, out string json)) return Shortened("JSON", json, "indented, ") with { Line = LineOf(text) };
        }

        return Shortened("text", Encoding.UTF8.GetString(value, 0, Math.Min(value.Length, MaxBytes)), "");
    }

    private static ShownValue Shortened(string kind, string text, string how)
    {
        string rest = string.Create(CultureInfo.InvariantCulture, $"shortened to the first {MaxLength:N0} characters");
        return new(kind, ShownText.Block(text, MaxLength), text.Length > MaxLength ? how + rest : null, LineOf(text));
    }

    private static string LineOf(byte[] value) =>
        $"{string.Join(' ', value.Select(static one => one.ToString("x2", CultureInfo.InvariantCulture)))}  {Visible(value)}";

    private static string Visible(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (byte one in bytes) text.Append(one is >= 0x20 and < 0x7F ? (char)one : '·');
        return text.ToString();
    }

    private static string? LineOf(string text) =>
        text.Length <= LongestLine && !text.AsSpan().ContainsAny('\n', '\r', '\t') ? ShownText.Line(text, 2 * LongestLine) : null;

    private static ShownValue Bytes(byte[] value)
    {
        var dump = new StringBuilder();
        for (int start = 0; start < Math.Min(value.Length, BytesOfDump); start += BytesOfLine)
        {
            var line = value.AsSpan(start, Math.Min(BytesOfLine, value.Length - start));
            if (start > 0) dump.Append('\n');
            dump.Append(CultureInfo.InvariantCulture, $"{start:x4} ");
            foreach (byte one in line) dump.Append(CultureInfo.InvariantCulture, $" {one:x2}");
            dump.Append(' ', 3 * (BytesOfLine - line.Length)).Append("  ");
            dump.Append(Visible(line));
        }

        string? note = value.Length > BytesOfDump ? $"shortened to the first {BytesOfDump} bytes" : null;
        if (BinaryPrimitives.TryReadInt32BigEndian(value, out int number) && value.Length == sizeof(int))
        {
            note = string.Create(CultureInfo.InvariantCulture, $"{number} if SetInt32 wrote it");
        }

        string shown = dump.ToString();
        return new(BytesKind, shown, note, value.Length <= BytesOfLine ? LineOf(value) : null);
    }

    /// <summary>UTF-8 without control bytes other than line breaks and tabs.</summary>
    private static bool IsText(byte[] value)
    {
        if (!Utf8.IsValid(value)) return false;
        foreach (byte one in value.AsSpan(0, Math.Min(value.Length, MaxBytes)))
        {
            if (one < 0x20 && one is not ((byte)'\n' or (byte)'\r' or (byte)'\t')) return false;
        }

        return true;
    }

    private static bool IsNumber(string text) =>
        text.Length <= 40 && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static bool TryIndent(byte[] value, out string json)
    {
        json = "";
        if (value.AsSpan().TrimStart(" \t\r\n"u8) is not [(byte)'{' or (byte)'[', ..]) return false;
        try
        {
            using var document = JsonDocument.Parse(value);
            var indented = new ArrayBufferWriter<byte>(value.Length);

            // As readable as possible: HTML encoding is done where HTML is created.
            var options = new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
            using (var writer = new Utf8JsonWriter(indented, options)) document.WriteTo(writer);

            json = Encoding.UTF8.GetString(indented.WrittenSpan);
            return true;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            return false; // only begins like JSON, or contains invalid text
        }
    }
}
