using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace RedisSession.Provider;

/// <summary>
/// Session values as text that a person, HINCRBY or another language can read: UTF-8, invariant culture, ISO 8601.
/// Pure. Reading never throws: what does not parse is not there.
/// </summary>
internal static class SessionText
{
    public static string Decode(byte[] value) => Encoding.UTF8.GetString(value); // what is no UTF-8 becomes U+FFFD

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
        // The branches on T cost nothing: the JIT compiles each value type apart.
        if (typeof(T) == typeof(string)) return T.TryParse(Decode(value), CultureInfo.InvariantCulture, out result);
        if (typeof(T) == typeof(int)) return Is(TryParseInt(value, out int number), number, out result);
        if (typeof(T) == typeof(bool)) return Is(TryParseBool(value, out bool truth), truth, out result);

        result = default;
        if (typeof(T) != typeof(char) && value.Contains((byte)0)) return false; // .NET's number parsers take trailing NULs for nothing
        string text = Decode(value);

        if (typeof(T) == typeof(DateTime))
        {
            return Is(DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time), time, out result);
        }

        if (typeof(T) == typeof(DateTimeOffset))
        {
            // Without an offset the text would mean another moment on each server.
            const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal;
            return Is(DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, Utc, out var time), time, out result);
        }

        // "1,5" is somebody's one and a half; .NET would read 15.
        return !(IsFraction<T>() && text.Contains(',')) && T.TryParse(text, CultureInfo.InvariantCulture, out result);
    }

    /// <summary>
    /// A whole number as text, white space around it allowed, as in redis-session; else 4 bytes as the big-endian integer that the
    /// built-in <c>SetInt32</c> writes, unless they read as text (<c>True</c>, <c>0x10</c>): then they are no number, as in redis-session.
    /// </summary>
    private static bool TryParseInt(byte[] value, out int number)
    {
        if (!value.Contains((byte)0) && int.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out number)) return true;
        number = 0;
        bool isText = value.AsSpan().IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0;
        return value.Length == sizeof(int) && !isText && BinaryPrimitives.TryReadInt32BigEndian(value, out number);
    }

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
