using System.Text.RegularExpressions;
using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>
/// What the built-in <c>SetInt32</c> wrote (4 bytes, big-endian), read by <c>Int</c> and <c>Long</c>, which look for text first. The
/// exceptions are pinned here: 4 bytes that are white space (HT, LF, VT, FF, CR, space), then a sign or none, then ASCII digits, then white
/// space, are that number; any other 4 bytes that are text (valid UTF-8 without control bytes that are no white space) are no number.
/// </summary>
internal sealed partial class Int32BytesTests
{
    // What the documentation says: the numbers in between always read as they were set.
    private const int LastNegativeText = -191_905_857; // F4 8F BF BF, the last code point of Unicode
    private const int FirstPositiveText = 151_587_081; // 09 09 09 09, four tabs

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // Latin, its accents, currencies, Greek, Cyrillic, Hebrew, Arabic and its digits, Devanagari and its digits, Thai, Hangul, Kana, Han,
    // full width and its digits, emoji, white space of all kinds, marks without width, and what ASCII has beside digits and letters.
    private static readonly (int First, int Last)[] Scripts =
    [
        (' ', '~'), ('\t', '\r'), (0x80, 0xFF), (0x100, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA), (0x600, 0x6FF),
        (0x900, 0x97F), (0xE00, 0xE7F), (0x2000, 0x206F), (0x20A0, 0x20C0), (0x2212, 0x2212), (0x3000, 0x30FF), (0x4E00, 0x9FFF),
        (0xAC00, 0xD7A3), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFF00, 0xFFEF), (0xFFFD, 0xFFFF), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF),
        (0x10FFFF, 0x10FFFF),
    ];

    private static readonly Gen<string> Texts =
        from count in Gen.Int[1, 4]
        from characters in Gen.OneOf(Scripts.Select(script => Gen.Int[script.First, script.Last]).ToArray()).Array[count]
        let text = string.Concat(characters.Select(char.ConvertFromUtf32))
        where Encoding.UTF8.GetByteCount(text) <= 4
        select text;

    // Everything that could pass for a part of a number: all white space of Latin-1, signs, digits, separators, NUL.
    private static readonly byte[] Suspects =
        [0x00, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1F, 0x20, 0x85, 0xA0, .. "+-()$.,_'eExX%0129a"u8, 0xE2, 0x88, 0x92, 0xFF];

    [GeneratedRegex(@"^[\t-\r ]*(?<number>[+-]?[0-9]+)[\t-\r ]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex NumberInText();

    [Test]
    public void Any_number_reads_as_it_was_set_unless_its_bytes_are_a_number_in_text() =>
        Gen.OneOf(Gen.Int, Gen.Int.Uniform).Sample(ReadsAsSet, iter: 10_000);

    [Test]
    public void Any_number_of_everyday_reads_as_it_was_set() =>
        Gen.OneOf(Gen.Int[-20_000_000, 20_000_000], Gen.Int[LastNegativeText + 1, FirstPositiveText - 1])
            .Sample(number => Read(With(number)) == (number, number), iter: 10_000);

    [TestCase(LastNegativeText, 0)]
    [TestCase(LastNegativeText + 1, LastNegativeText + 1)]
    [TestCase(FirstPositiveText - 1, FirstPositiveText - 1)]
    [TestCase(FirstPositiveText, 0), TestCase(825_373_492, 1234), TestCase(int.MinValue, int.MinValue)]
    [TestCase(int.MaxValue, int.MaxValue)]
    public void Numbers_whose_bytes_are_text_begin_where_the_documentation_says(int number, int expected) =>
        Assert.That(With(number).GetInt("count"), Is.EqualTo(expected));

    [Test]
    public void Text_of_any_script_is_no_number_unless_it_is_one() => Texts.Sample(
        text =>
        {
            var value = new SessionValue(Encoding.UTF8.GetBytes(text));
            int expected = NumberInText().Match(text) is { Success: true } number ? FromDigits(number.Groups["number"].Value) : 0;
            return value.Int == expected && value.Long == expected;
        },
        iter: 100_000);

    [Test]
    public void What_a_visitor_may_have_typed_never_becomes_an_amount(
        [Values("£50", "€5", "Zoë", "ab\n1", "\t\t\t\t", "½ 1", "１", "\u0663\u0663", "😀", "\uFEFF1", "\u0085\u0085")] string text)
    {
        var value = new SessionValue(Encoding.UTF8.GetBytes(text));
        Assert.That((value.Int, value.Long), Is.EqualTo((0, 0L)));
        Assert.That(value.As(-5), Is.EqualTo(-5));
    }

    [Test]
    public void Bytes_that_could_pass_for_a_number_in_text_read_as_they_were_set_too()
    {
        var wrong =
            from first in Suspects
            from second in Suspects
            from third in Suspects
            from fourth in Suspects
            let number = (first << 24) | (second << 16) | (third << 8) | fourth
            where !ReadsAsSet(number)
            select number.ToString("X8", null);
        Assert.That(wrong.Take(5), Is.Empty);
    }

    [TestCase("1234", 1234), TestCase("-123", -123), TestCase(" +7\n", 7), TestCase("0007", 7), TestCase("\t\v\f1", 1)]
    public void Text_wins_over_the_four_bytes_that_it_is(string text, int expected)
    {
        var session = new DictionarySession();
        session.Set("count", Encoding.ASCII.GetBytes(text));
        Assert.That(session.GetInt("count"), Is.EqualTo(expected));
        Assert.That(session.GetInt32("count"), Is.Not.EqualTo(expected));
    }

    [TestCase(new byte[] { 0x00, 0x00, 0x00, 0x31 })]
    [TestCase(new byte[] { 0x31, 0x00, 0x00, 0x00 })]
    [TestCase(new byte[] { 0x31, 0x32, 0x33, 0x00 })]
    [TestCase(new byte[] { 0x1B, 0x5B, 0x30, 0x6D })]
    [TestCase(new byte[] { 0xC2, 0xA3, 0x35, 0x08 })]
    [TestCase(new byte[] { 0xA3, 0x35, 0x30, 0x30 })] // £500, but in Latin-1
    [TestCase(new byte[] { 0xED, 0xA0, 0x80, 0x41 })] // a surrogate
    [TestCase(new byte[] { 0xC0, 0xAF, 0x41, 0x41 })] // longer than it has to be
    [TestCase(new byte[] { 0xF4, 0x90, 0x80, 0x80 })] // beyond Unicode
    [TestCase(new byte[] { 0x2B, 0x2D, 0x31, 0x7F })]
    [TestCase(new byte[] { 0x31, 0x1F, 0x32, 0x33 })]
    public void Bytes_that_only_look_like_a_number_in_text_read_as_set(byte[] bytes)
    {
        var session = new DictionarySession();
        session.Set("count", bytes);
        Assert.That(session.GetInt("count"), Is.EqualTo(session.GetInt32("count")));
    }

    [Test]
    public void Four_printable_characters_that_are_no_number_are_none([Values("    ", "+-12", "1 23", "True", "~~~~")] string text) =>
        Assert.That(new SessionValue(Encoding.ASCII.GetBytes(text)).As(-5), Is.EqualTo(-5));

    [TestCase(new byte[] { 0, 0, 7 }), TestCase(new byte[] { 0, 0, 0, 0, 7 })]
    [TestCase(new byte[] { 0, 0, 0, 0, 0, 0, 0, 7 })]
    public void Other_lengths_are_no_binary_number(byte[] bytes) => Assert.That(new SessionValue(bytes).As(-5), Is.EqualTo(-5));

    private static DictionarySession With(int number)
    {
        var session = new DictionarySession();
        session.SetInt32("count", number);
        return session;
    }

    private static (int Int, long Long) Read(DictionarySession session) => (session.GetInt("count"), session.GetLong("count"));

    private static bool ReadsAsSet(int number)
    {
        var session = With(number);
        byte[] bytes = session.Get("count")!;
        var text = NumberInText().Match(Encoding.Latin1.GetString(bytes));
        int expected = text.Success ? FromDigits(text.Groups["number"].Value) : IsText(bytes) ? 0 : number;
        return Read(session) == (expected, expected);
    }

    // By the letter of the rule, so that the expectation does not rest on the code under test.
    private static bool IsText(byte[] bytes)
    {
        if (bytes.Any(one => one is < 0x09 or (> 0x0D and < 0x20) or 0x7F)) return false;
        try
        {
            return StrictUtf8.GetCharCount(bytes) > 0;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    // By hand, so that the expectation does not rest on the parser under test.
    private static int FromDigits(string number)
    {
        int value = number.Where(char.IsAsciiDigit).Aggregate(0, (sum, digit) => (sum * 10) + (digit - '0'));
        return number[0] == '-' ? -value : value;
    }
}
