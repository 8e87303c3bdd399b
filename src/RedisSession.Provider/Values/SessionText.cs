using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace RedisSession.Provider;

/// <summary>
/// Session values as text that a person, HINCRBY or another language can read: UTF-8, invariant culture, ISO 8601.
/// Pure. Reading never throws: a value that does not parse reads as absent.
/// </summary>
internal static class SessionText
{
    // All ASCII control characters except HT, LF, VT, FF and CR.
    private static readonly SearchValues<byte> ControlBytes = SearchValues.Create(
    [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x0E, 0x0F, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A,
        0x1B, 0x1C, 0x1D, 0x1E, 0x1F, 0x7F,
    ]);

    public static string Decode(byte[] value) => Encoding.UTF8.GetString(value); // invalid UTF-8 becomes U+FFFD

    public static byte[] Encode<T>(T value)
        where T : ISpanParsable<T> => Encoding.UTF8.GetBytes(value switch
        {
            DateTime or DateTimeOffset or DateOnly or TimeOnly => ((IFormattable)value).ToString("O", CultureInfo.InvariantCulture),
            IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        });

    public static bool TryParse<T>(byte[] value, [MaybeNullWhen(false)] out T result)
        where T : ISpanParsable<T>
    {
        // The branches on T cost nothing: the JIT compiles each value type separately.
        if (typeof(T) == typeof(string)) return T.TryParse(Decode(value), CultureInfo.InvariantCulture, out result);
        if (typeof(T) == typeof(int)) return Is(TryParseInt(value, out int number), number, out result);
        if (typeof(T) == typeof(bool)) return Is(TryParseBool(value, out bool truth), truth, out result);

        result = default;
        if (typeof(T) != typeof(char) && value.Contains((byte)0)) return false; // .NET's number parsers ignore trailing NULs
        string text = Decode(value);

        if (typeof(T) == typeof(DateTime))
        {
            return Is(DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time), time, out result);
        }

        if (typeof(T) == typeof(DateTimeOffset))
        {
            // Without an offset, the text would mean a different time on each server.
            const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal;
            return Is(DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, Utc, out var time), time, out result);
        }

        // "1,5" is one and a half in some cultures; .NET would read 15.
        return !(IsFraction<T>() && text.Contains(',')) && T.TryParse(text, CultureInfo.InvariantCulture, out result);
    }

    /// <summary>
    /// A 64-bit integer as text; otherwise an integer that <c>SetInt32</c> wrote, so that switching from int to long loses no existing
    /// values.
    /// </summary>
    public static bool TryParseLong(byte[] value, out long number)
    {
        if (TryParse(value, out number)) return true;
        bool isBinary = TryReadInt32(value, out int narrow);
        number = narrow;
        return isBinary;
    }

    /// <summary>An integer as text, optionally surrounded by white space, as in redis-session; else what <c>SetInt32</c> wrote.</summary>
    private static bool TryParseInt(byte[] value, out int number) =>
        (!value.Contains((byte)0) && int.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out number))
        || TryReadInt32(value, out number);

    /// <summary>
    /// 4 bytes as the big-endian integer that the built-in <c>SetInt32</c> writes, unless they are text (<c>True</c>, <c>£50</c>): what a
    /// visitor typed never becomes a number that they did not type.
    /// </summary>
    private static bool TryReadInt32(byte[] value, out int number)
    {
        number = 0;
        return value.Length == sizeof(int) && !IsText(value) && BinaryPrimitives.TryReadInt32BigEndian(value, out number);
    }

    /// <summary>UTF-8 without control bytes, which nobody types; white space counts as text.</summary>
    private static bool IsText(byte[] value) => value.AsSpan().IndexOfAny(ControlBytes) < 0 && Utf8.IsValid(value);

    /// <summary><c>true</c> in any case or <c>1</c>; <c>false</c> in any case or <c>0</c>; nothing else.</summary>
    private static bool TryParseBool(ReadOnlySpan<byte> value, out bool truth)
    {
        truth = Ascii.EqualsIgnoreCase(value, "true"u8) || value.SequenceEqual("1"u8);
        return truth || Ascii.EqualsIgnoreCase(value, "false"u8) || value.SequenceEqual("0"u8);
    }

    private static bool IsFraction<T>() =>
        typeof(T) == typeof(double) || typeof(T) == typeof(float) || typeof(T) == typeof(decimal) || typeof(T) == typeof(Half)
        || typeof(T) == typeof(NFloat) || typeof(T) == typeof(Complex);

    private static bool Is<TParsed, T>(bool parsed, TParsed value, out T result)
    {
        result = (T)(object)value!;
        return parsed;
    }
}
