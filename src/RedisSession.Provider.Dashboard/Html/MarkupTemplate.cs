using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// The handler of the interpolated string passed to <see cref="Markup.Of"/>: literals as they are, values encoded. A type without an
/// overload here cannot be put into a page at all.
/// </summary>
[InterpolatedStringHandler]
internal readonly ref struct MarkupTemplate(int literalLength, int formattedCount)
{
    private readonly StringBuilder _html = new(literalLength + (32 * formattedCount));

    public void AppendLiteral(string literal) => _html.Append(literal);

    public void AppendFormatted(string? text)
    {
        // Encoding makes text safe only between tags and between quotes.
        if (_html.Length > 0 && _html[^1] == '=') throw new InvalidOperationException("An attribute's value needs quotes.");
        if (text is not null) _html.Append(HtmlEncoder.Default.Encode(text));
    }

    public void AppendFormatted(long number) => AppendFormatted(number.ToString(CultureInfo.InvariantCulture));

    public void AppendFormatted(Markup markup) => _html.Append(markup.ToString());

    public void AppendFormatted(IEnumerable<Markup> all)
    {
        foreach (var markup in all) _html.Append(markup.ToString());
    }

    public override string ToString() => _html.ToString();
}
