using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace RedisSession.Provider.Tests;

internal sealed class SessionValueTests
{
    private static readonly DateTimeOffset Noon = new(2024, 2, 29, 12, 0, 0, TimeSpan.Zero);

    private static SessionValue Value(string text) => new(Encoding.UTF8.GetBytes(text));

    [Test]
    public void Default_is_the_value_of_an_absent_key()
    {
        SessionValue value = default;
        Assert.That(value.None, Is.True);
        Assert.That(value.Raw, Is.Null);
        Assert.That(value.Str, Is.Empty);
        Assert.That(value.Int, Is.Zero);
        Assert.That(value.Long, Is.Zero);
        Assert.That(value.Bool, Is.False);
        Assert.That(value.Json().ToJsonString(), Is.EqualTo("{}"));
        Assert.That(value.As("fallback"), Is.EqualTo("fallback"));
        Assert.That(value.ToString(), Is.Empty);
    }

    [Test]
    public void Empty_value_is_not_absent()
    {
        var value = Value("");
        Assert.That(value.None, Is.False);
        Assert.That(value.As("fallback"), Is.Empty);
        Assert.That(value.As(7), Is.EqualTo(7));
        Assert.That(value.As(Noon), Is.EqualTo(Noon));
    }

    [Test]
    public void Raw_is_the_stored_array_and_not_a_copy()
    {
        byte[] stored = [1, 2, 3];
        Assert.That(new SessionValue(stored).Raw, Is.SameAs(stored));
    }

    [Test]
    public void Text_is_what_the_value_prints() => Assert.That(Value("é😀").ToString(), Is.EqualTo("é😀"));

    [TestCase("true", true)]
    [TestCase("TRUE", true)]
    [TestCase("tRuE", true)]
    [TestCase("1", true)]
    [TestCase("false", false)]
    [TestCase("FALSE", false)]
    [TestCase("0", false)]
    public void Boolean_is_read_whatever_the_fallback(string text, bool expected)
    {
        Assert.That(Value(text).As(true), Is.EqualTo(expected));
        Assert.That(Value(text).As(false), Is.EqualTo(expected));
        Assert.That(Value(text).Bool, Is.EqualTo(expected));
    }

    [TestCase("yes")]
    [TestCase("2")]
    [TestCase("01")]
    [TestCase(" true")]
    [TestCase("true\0")]
    [TestCase("")]
    public void What_is_no_boolean_gives_the_fallback(string text)
    {
        Assert.That(Value(text).As(true), Is.True);
        Assert.That(Value(text).As(false), Is.False);
        Assert.That(Value(text).Bool, Is.False);
    }

    [TestCase("2147483648")]
    [TestCase("-2147483649")]
    [TestCase("1,000")]
    [TestCase("1.0")]
    [TestCase("(123)")]
    [TestCase("$12")]
    [TestCase("12\0")]
    [TestCase("12\0\0\0")]
    [TestCase("1 2 3")]
    [TestCase("\u221212")] // the minus sign of typographers
    [TestCase("\u00A0123")]
    public void What_is_no_whole_number_gives_the_fallback(string text) => Assert.That(Value(text).As(-5), Is.EqualTo(-5));

    [Test]
    public void Numbers_that_are_too_big_give_the_fallback()
    {
        Assert.That(Value("256").As((byte)7), Is.EqualTo(7));
        Assert.That(Value("-1").As(7u), Is.EqualTo(7));
        Assert.That(Value("9223372036854775808").As(7L), Is.EqualTo(7));
        Assert.That(Value("79228162514264337593543950336").As(7m), Is.EqualTo(7));
        Assert.That(Value("1e400").As(7.0), Is.EqualTo(double.PositiveInfinity));
    }

    // "1,5" is one and a half to half of the world; .NET's parsers would take the comma for a thousands separator and read 15.
    [Test]
    public void Fractions_with_a_comma_give_the_fallback()
    {
        var value = Value("1,5");
        Assert.That(value.As(7.0), Is.EqualTo(7.0));
        Assert.That(value.As(7f), Is.EqualTo(7f));
        Assert.That(value.As(7m), Is.EqualTo(7m));
        Assert.That(value.As((Half)7), Is.EqualTo((Half)7));
        Assert.That(value.As((NFloat)7), Is.EqualTo((NFloat)7));
        Assert.That(Value("<1,5; 2>").As(Complex.One), Is.EqualTo(Complex.One));
        Assert.That(value.As(7L), Is.EqualTo(7L));
        Assert.That(value.As((Int128)7), Is.EqualTo((Int128)7));
    }

    // .NET's number parsers take trailing NULs for nothing.
    [Test]
    public void Numbers_with_trailing_nul_bytes_give_the_fallback()
    {
        var value = Value("15\0\0");
        Assert.That(value.As(7.0), Is.EqualTo(7.0));
        Assert.That(value.As(7m), Is.EqualTo(7m));
        Assert.That(value.As(7L), Is.EqualTo(7L));
        Assert.That(value.As((byte)7), Is.EqualTo((byte)7));
        Assert.That(value.As(BigInteger.One), Is.EqualTo(BigInteger.One));
    }

    // 4 bytes are an int alone: nobody's long is written by SetInt32. But who comes from Int to Long finds what he had.
    [Test]
    public void Four_bytes_are_no_other_number_than_an_int()
    {
        var value = new SessionValue([0, 0, 1, 0]);
        Assert.That(value.As(7), Is.EqualTo(256));
        Assert.That(value.As(7L), Is.EqualTo(7));
        Assert.That(value.As(7u), Is.EqualTo(7));
        Assert.That((value.Int, value.Long), Is.EqualTo((256, 256L)));
    }

    [TestCase("1732526887267", 1732526887267, TestName = "A time in milliseconds is a long")]
    [TestCase(" -9223372036854775808\n", long.MinValue, TestName = "So is the least that fits, with white space around it")]
    [TestCase("+9223372036854775807", long.MaxValue, TestName = "So is the greatest that fits, with a sign")]
    public void Number_that_is_too_large_for_an_int_is_a_long(string text, long expected)
    {
        Assert.That(Value(text).Long, Is.EqualTo(expected));
        Assert.That(Value(text).Int, Is.Zero);
    }

    [TestCase("9223372036854775808")]
    [TestCase("-9223372036854775809")]
    [TestCase("1_000")]
    [TestCase("1e3")]
    [TestCase("12\0")]
    [TestCase("")]
    [TestCase("£50")]
    public void What_is_no_long_is_zero(string text)
    {
        Assert.That(Value(text).Long, Is.Zero);
        Assert.That(Value(text).As(-5L), Is.EqualTo(-5L));
    }

    // As in redis-session, whose int has no end.
    [Test]
    public void Numbers_of_any_length_are_read_by_BigInteger() =>
        Assert.That(Value("99999999999999999999999").As(BigInteger.Zero), Is.EqualTo(BigInteger.Parse("99999999999999999999999", null)));

    [TestCase("2024-02-29T12:00:00", 0)]
    [TestCase("2024-02-29T14:00:00+02:00", 2)]
    public void Moment_keeps_the_offset_it_was_written_with_and_is_utc_without_one(string text, int hours) =>
        Assert.That(Value(text).As(DateTimeOffset.MaxValue).EqualsExact(Noon.ToOffset(TimeSpan.FromHours(hours))), Is.True);

    [Test]
    public void Time_without_zone_stays_without_one()
    {
        var time = Value("2024-02-29T12:00:00").As(DateTime.MaxValue);
        Assert.That(time, Is.EqualTo(Noon.DateTime));
        Assert.That(time.Kind, Is.EqualTo(DateTimeKind.Unspecified));
    }

    [TestCase("2024-02-30")]
    [TestCase("24:00:01")]
    [TestCase("tomorrow")]
    [TestCase("29/02/2024")]
    public void What_is_no_time_gives_the_fallback(string text)
    {
        Assert.That(Value(text).As(DateTime.MaxValue), Is.EqualTo(DateTime.MaxValue));
        Assert.That(Value(text).As(DateTimeOffset.MaxValue), Is.EqualTo(DateTimeOffset.MaxValue));
        Assert.That(Value(text).As(DateOnly.MaxValue), Is.EqualTo(DateOnly.MaxValue));
        Assert.That(Value(text).As(TimeOnly.MaxValue), Is.EqualTo(TimeOnly.MaxValue));
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
