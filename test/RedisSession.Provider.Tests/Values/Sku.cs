using System.Diagnostics.CodeAnalysis;

namespace RedisSession.Provider.Tests;

/// <summary>An application's own type with a text form, such as "A-7".</summary>
internal readonly record struct Sku(string Group, int Number) : ISpanParsable<Sku>
{
    public static Sku Parse(string s, IFormatProvider? provider) => Parse(s.AsSpan(), provider);

    public static Sku Parse(ReadOnlySpan<char> s, IFormatProvider? provider) =>
        TryParse(s, provider, out var sku) ? sku : throw new FormatException("Not a SKU.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Sku result) =>
        TryParse(s.AsSpan(), provider, out result);

    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out Sku result)
    {
        int dash = s.IndexOf('-');
        bool parsed = int.TryParse(s[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int number) && dash > 0;
        result = parsed ? new(s[..dash].ToString(), number) : default;
        return parsed;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Group}-{Number}");
}
