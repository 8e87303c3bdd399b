using System.Numerics;
using System.Runtime.InteropServices;

namespace RedisSession.Provider.Tests;

internal sealed class SessionValueTests
{
    private static readonly DateTimeOffset Noon = new(2024, 2, 29, 12, 0, 0, TimeSpan.Zero);

    private static SessionValue Value(string text) => new(Encoding.UTF8.GetBytes(text));

    [Test]
    public void Default_is_the_value_of_an_absent_key()
    {
        SessionValue value = default;
        Assert.That((value.None, value.Int, value.Long, value.Bool), Is.EqualTo((true, 0, 0L, false)));
        Assert.That(value.Raw, Is.Null);
        Assert.That((value.Str, value.ToString()), Is.EqualTo(("", "")));
        Assert.That((value.Json().ToJsonString(), value.As("fallback")), Is.EqualTo(("{}", "fallback")));
    }

    [Test]
    public void Empty_value_is_not_absent()
    {
        var value = Value("");
        Assert.That((value.None, value.As("fallback"), value.As(7), value.As(Noon)), Is.EqualTo((false, "", 7, Noon)));
    }

    [Test]
    public void Raw_is_the_stored_array_and_not_a_copy()
    {
        byte[] stored = [1, 2, 3];
        Assert.That(new SessionValue(stored).Raw, Is.SameAs(stored));
    }

    [Test]
    public void Text_is_what_the_value_prints() => Assert.That(Value("é😀").ToString(), Is.EqualTo("é😀"));

    [TestCase("true", true), TestCase("TRUE", true), TestCase("tRuE", true), TestCase("1", true)]
    [TestCase("false", false), TestCase("FALSE", false), TestCase("0", false)]
    public void Boolean_is_read_whatever_the_fallback(string text, bool expected) => Assert.That(
        (Value(text).As(true), Value(text).As(false), Value(text).Bool), Is.EqualTo((expected, expected, expected)));

    [Test]
    public void What_is_no_boolean_gives_the_fallback([Values("yes", "2", "01", " true", "true\0", "")] string text) =>
        Assert.That((Value(text).As(true), Value(text).As(false), Value(text).Bool), Is.EqualTo((true, false, false)));

    // U+2212 is the minus sign of typographers.
    [Test]
    public void What_is_no_whole_number_gives_the_fallback([Values(
        "2147483648", "-2147483649", "1,000", "1.0", "(123)", "$12", "12\0", "12\0\0\0", "1 2 3", "\u221212", "\u00A0123")] string text) =>
        Assert.That(Value(text).As(-5), Is.EqualTo(-5));

    [Test]
    public void Numbers_that_are_too_big_give_the_fallback()
    {
        Assert.That((Value("256").As((byte)7), Value("-1").As(7u)), Is.EqualTo(((byte)7, 7u)));
        Assert.That((Value("9223372036854775808").As(7L), Value("79228162514264337593543950336").As(7m)), Is.EqualTo((7L, 7m)));
        Assert.That(Value("1e400").As(7.0), Is.EqualTo(double.PositiveInfinity));
    }

    // "1,5" is one and a half to half of the world; .NET's parsers would take the comma for a thousands separator and read 15.
    [Test]
    public void Fractions_with_a_comma_give_the_fallback()
    {
        var value = Value("1,5");
        Assert.That(
            (value.As(7.0), value.As(7f), value.As(7m), value.As((Half)7), value.As((NFloat)7)),
            Is.EqualTo((7.0, 7f, 7m, (Half)7, (NFloat)7)));
        Assert.That(Value("<1,5; 2>").As(Complex.One), Is.EqualTo(Complex.One));
        Assert.That((value.As(7L), value.As((Int128)7)), Is.EqualTo((7L, (Int128)7)));
    }

    // .NET's number parsers take trailing NULs for nothing.
    [Test]
    public void Numbers_with_trailing_nul_bytes_give_the_fallback()
    {
        var value = Value("15\0\0");
        Assert.That((value.As(7.0), value.As(7m), value.As(7L), value.As((byte)7)), Is.EqualTo((7.0, 7m, 7L, (byte)7)));
        Assert.That(value.As(BigInteger.One), Is.EqualTo(BigInteger.One));
    }

    // 4 bytes are an int alone: nobody's long is written by SetInt32. But who comes from Int to Long finds what he had.
    [Test]
    public void Four_bytes_are_no_other_number_than_an_int()
    {
        var value = new SessionValue([0, 0, 1, 0]);
        Assert.That((value.As(7), value.As(7L), value.As(7u), value.Int, value.Long), Is.EqualTo((256, 7L, 7u, 256, 256L)));
    }

    [TestCase("1732526887267", 1732526887267, TestName = "A time in milliseconds is a long")]
    [TestCase(" -9223372036854775808\n", long.MinValue, TestName = "So is the least that fits, with white space around it")]
    [TestCase("+9223372036854775807", long.MaxValue, TestName = "So is the greatest that fits, with a sign")]
    public void Number_that_is_too_large_for_an_int_is_a_long(string text, long expected) =>
        Assert.That((Value(text).Long, Value(text).Int), Is.EqualTo((expected, 0)));

    [Test]
    public void What_is_no_long_is_zero(
        [Values("9223372036854775808", "-9223372036854775809", "1_000", "1e3", "12\0", "", "£50")] string text) =>
        Assert.That((Value(text).Long, Value(text).As(-5L)), Is.EqualTo((0L, -5L)));

    // As in redis-session, whose int has no end.
    [Test]
    public void Numbers_of_any_length_are_read_by_BigInteger() =>
        Assert.That(Value("99999999999999999999999").As(BigInteger.Zero), Is.EqualTo(BigInteger.Parse("99999999999999999999999", null)));

    [TestCase("2024-02-29T12:00:00", 0), TestCase("2024-02-29T14:00:00+02:00", 2)]
    public void Moment_keeps_the_offset_it_was_written_with_and_is_utc_without_one(string text, int hours) =>
        Assert.That(Value(text).As(DateTimeOffset.MaxValue).EqualsExact(Noon.ToOffset(TimeSpan.FromHours(hours))), Is.True);

    [Test]
    public void Time_without_zone_stays_without_one()
    {
        var time = Value("2024-02-29T12:00:00").As(DateTime.MaxValue);
        Assert.That((time, time.Kind), Is.EqualTo((Noon.DateTime, DateTimeKind.Unspecified)));
    }

    [Test]
    public void What_is_no_time_gives_the_fallback([Values("2024-02-30", "24:00:01", "tomorrow", "29/02/2024")] string text)
    {
        Assert.That(
            (Value(text).As(DateTime.MaxValue), Value(text).As(DateTimeOffset.MaxValue)),
            Is.EqualTo((DateTime.MaxValue, DateTimeOffset.MaxValue)));
        Assert.That(
            (Value(text).As(DateOnly.MaxValue), Value(text).As(TimeOnly.MaxValue)), Is.EqualTo((DateOnly.MaxValue, TimeOnly.MaxValue)));
    }

    [Test]
    public void Own_type_that_does_not_parse_gives_the_fallback() =>
        Assert.That(Value("A7").As(new Sku("X", 1)), Is.EqualTo(new Sku("X", 1)));

    [Test]
    public void Nul_is_a_character_of_its_own_and_an_emoji_is_no_single_one()
    {
        Assert.That(Value("\0").As('x'), Is.EqualTo('\0'));
        Assert.That(Value("a\0").As('x'), Is.EqualTo('x'), "two characters");
        Assert.That(Value("😀").As('x'), Is.EqualTo('x'));
    }
}
