using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Tests;

/// <summary>
/// What the built-in <c>SetInt32</c> wrote (4 bytes, big-endian), read by <c>Int</c>, which looks for text first. The exceptions are pinned
/// here: 4 bytes that are white space (HT, LF, VT, FF, CR, space), then a sign or none, then ASCII digits, then white space, are that
/// number; any other 4 printable ASCII characters are a word, and so no number.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.All)]
internal sealed partial class Int32BytesTests
{
    // Everything that could pass for a part of a number: all white space of Latin-1, signs, digits, separators, NUL.
    private static readonly byte[] Suspects =
        [0x00, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1F, 0x20, 0x85, 0xA0, .. "+-()$.,_'eExX%0129a"u8, 0xE2, 0x88, 0x92, 0xFF];

    [GeneratedRegex(@"^[\t-\r ]*(?<number>[+-]?[0-9]+)[\t-\r ]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex NumberInText();

    [Test]
    public void Any_number_reads_as_it_was_set_unless_its_bytes_are_a_number_in_text() =>
        Gen.OneOf(Gen.Int, Gen.Int.Uniform).Sample(ReadsAsSet, iter: 10_000);

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

    [TestCase("1234", 1234)]
    [TestCase("-123", -123)]
    [TestCase(" +7\n", 7)]
    [TestCase("0007", 7)]
    [TestCase("\t\v\f1", 1)]
    public void Text_wins_over_the_four_bytes_that_it_is(string text, int expected)
    {
        var session = new DictionarySession();
        session.Set("count", Encoding.ASCII.GetBytes(text));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(session.GetInt("count"), Is.EqualTo(expected));
            Assert.That(session.GetInt32("count"), Is.Not.EqualTo(expected));
        }
    }

    [TestCase(new byte[] { 0x00, 0x00, 0x00, 0x31 })]
    [TestCase(new byte[] { 0x31, 0x00, 0x00, 0x00 })]
    [TestCase(new byte[] { 0x31, 0x32, 0x33, 0x00 })]
    [TestCase(new byte[] { 0x20, 0x20, 0x20, 0x09 })]
    [TestCase(new byte[] { 0x2B, 0x2D, 0x31, 0x7F })]
    [TestCase(new byte[] { 0x31, 0x1F, 0x32, 0x33 })]
    public void Bytes_that_only_look_like_a_number_in_text_read_as_set(byte[] bytes)
    {
        var session = new DictionarySession();
        session.Set("count", bytes);
        Assert.That(session.GetInt("count"), Is.EqualTo(session.GetInt32("count")));
    }

    [TestCase("    ")]
    [TestCase("+-12")]
    [TestCase("1 23")]
    [TestCase("True")]
    [TestCase("~~~~")]
    public void Four_printable_characters_that_are_no_number_are_none(string text) =>
        Assert.That(new SessionValue(Encoding.ASCII.GetBytes(text)).As(-5), Is.EqualTo(-5));

    [TestCase(new byte[] { 0, 0, 7 })]
    [TestCase(new byte[] { 0, 0, 0, 0, 7 })]
    [TestCase(new byte[] { 0, 0, 0, 0, 0, 0, 0, 7 })]
    public void Other_lengths_are_no_binary_number(byte[] bytes) => Assert.That(new SessionValue(bytes).As(-5), Is.EqualTo(-5));

    private static bool ReadsAsSet(int number)
    {
        var session = new DictionarySession();
        session.SetInt32("count", number);
        string bytes = Encoding.Latin1.GetString(session.Get("count")!);
        var text = NumberInText().Match(bytes);
        bool isWord = bytes.All(character => character is >= ' ' and <= '~');
        return session.GetInt("count") == (text.Success ? FromDigits(text.Groups["number"].Value) : isWord ? 0 : number);
    }

    // By hand, so that the expectation does not rest on the parser under test.
    private static int FromDigits(string number)
    {
        int value = number.Where(char.IsAsciiDigit).Aggregate(0, (sum, digit) => (sum * 10) + (digit - '0'));
        return number[0] == '-' ? -value : value;
    }
}
