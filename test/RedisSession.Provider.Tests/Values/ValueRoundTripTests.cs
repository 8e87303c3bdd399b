using System.Numerics;
using System.Text.Json;
using CsCheck;

namespace RedisSession.Provider.Tests;

[TestFixture(""), TestFixture("fr-FR"), TestFixture("tr-TR"), TestFixture("ar-SA"), TestFixture("fa-IR")]
internal sealed class ValueRoundTripTests(string culture)
{
    private static readonly DateTime Moment = new(2024, 2, 29, 23, 59, 58, 123, 456, DateTimeKind.Unspecified);

    private static IEnumerable<RoundTrip> Values =>
    [
        RoundTrip.Of("text", "text", ""), RoundTrip.Of("", "", "fallback"),
        RoundTrip.Of(" \u0130ı ‎-1 \0 😀👩‍👩‍👧", " \u0130ı ‎-1 \0 😀👩‍👩‍👧", ""),
        RoundTrip.Of(true, "True", false), RoundTrip.Of(false, "False", true), RoundTrip.Of('ı', "ı", 'x'), RoundTrip.Of(' ', " ", 'x'),
        RoundTrip.Of('\0', "\0", 'x'), RoundTrip.Of((byte)255, "255", (byte)0), RoundTrip.Of((sbyte)-128, "-128", (sbyte)0),
        RoundTrip.Of(short.MinValue, "-32768", (short)0), RoundTrip.Of(ushort.MaxValue, "65535", (ushort)0),
        RoundTrip.Of(int.MinValue, "-2147483648", 0), RoundTrip.Of(int.MaxValue, "2147483647", 0),
        RoundTrip.Of(uint.MaxValue, "4294967295", 0u), RoundTrip.Of(long.MinValue, "-9223372036854775808", 0L),
        RoundTrip.Of(ulong.MaxValue, "18446744073709551615", 0ul),
        RoundTrip.Of(Int128.MinValue, "-170141183460469231731687303715884105728", Int128.Zero),
        RoundTrip.Of(UInt128.MaxValue, "340282366920938463463374607431768211455", UInt128.Zero),
        RoundTrip.Of(BigInteger.Pow(-10, 41), "-1" + new string('0', 41), BigInteger.Zero),
        RoundTrip.Of(-1.5, "-1.5", 0.0), RoundTrip.Of(0.1 + 0.2, "0.30000000000000004", 0.0),
        RoundTrip.Of(double.MaxValue, "1.7976931348623157E+308", 0.0), RoundTrip.Of(double.MinValue, "-1.7976931348623157E+308", 0.0),
        RoundTrip.Of(double.Epsilon, "5E-324", 0.0), RoundTrip.Of(-0.0, "-0", 1.0), RoundTrip.Of(double.NaN, "NaN", 0.0),
        RoundTrip.Of(double.NegativeInfinity, "-Infinity", 0.0), RoundTrip.Of(float.MaxValue, "3.4028235E+38", 0f),
        RoundTrip.Of(Half.MinValue, "-65500", Half.Zero),
        RoundTrip.Of(decimal.MinValue, "-79228162514264337593543950335", 0m),
        RoundTrip.Of(1.2300m, "1.2300", 0m),
        RoundTrip.Of(Moment, "2024-02-29T23:59:58.1234560", DateTime.MinValue),
        RoundTrip.Of(DateTime.SpecifyKind(Moment, DateTimeKind.Utc), "2024-02-29T23:59:58.1234560Z", DateTime.MinValue),
        RoundTrip.Of(DateTime.SpecifyKind(Moment, DateTimeKind.Local), "2024-02-29T23:59:58.1234560" + LocalOffset, DateTime.MinValue),
        RoundTrip.Of(DateTime.MaxValue, "9999-12-31T23:59:59.9999999", DateTime.MinValue),
        RoundTrip.Of(new DateTimeOffset(Moment, TimeSpan.FromHours(-3.5)), "2024-02-29T23:59:58.1234560-03:30", DateTimeOffset.MinValue),
        RoundTrip.Of(DateTimeOffset.MinValue, "0001-01-01T00:00:00.0000000+00:00", DateTimeOffset.MaxValue),
        RoundTrip.Of(DateTimeOffset.MaxValue, "9999-12-31T23:59:59.9999999+00:00", DateTimeOffset.MinValue),
        RoundTrip.Of(new DateOnly(2024, 2, 29), "2024-02-29", DateOnly.MinValue),
        RoundTrip.Of(new TimeOnly(23, 59, 58, 123, 456), "23:59:58.1234560", TimeOnly.MinValue),
        RoundTrip.Of(new TimeSpan(-1, -2, -3, -4, -5), "-1.02:03:04.0050000", TimeSpan.Zero),
        RoundTrip.Of(TimeSpan.MaxValue, "10675199.02:48:05.4775807", TimeSpan.Zero),
        RoundTrip.Of(TimeSpan.MinValue, "-10675199.02:48:05.4775808", TimeSpan.Zero),
        RoundTrip.Of(new Guid("0f8fad5b-d9cb-469f-a165-70867728950e"), "0f8fad5b-d9cb-469f-a165-70867728950e", Guid.Empty),
        RoundTrip.Of(IPAddress.IPv6Loopback, "::1", IPAddress.None), RoundTrip.Of(new Sku("A", 7), "A-7", new Sku("", 0)),
    ];

    [TestCaseSource(nameof(Values))]
    public void Value_comes_back_as_it_went_in(RoundTrip value)
    {
        using var scope = new CultureScope(culture);
        value.Check(new DictionarySession());
    }

    [Test]
    public void Any_number_comes_back_as_it_went_in() =>
        Gen.Select(Gen.Double, Gen.Decimal, Gen.Long, Gen.Float).Sample((floating, money, whole, single) =>
            ComesBack(floating, 0.5) && ComesBack(money, 0.5m) && ComesBack(whole, 5L) && ComesBack(single, 0.5f));

    [Test]
    public void Any_time_comes_back_as_it_went_in() =>
        Gen.Select(Gen.DateTime, Gen.DateTimeOffset, Gen.TimeSpan, Gen.DateOnly, Gen.TimeOnly).Sample((time, moment, span, date, clock) =>
            ComesBack(time, time.AddTicks(time == DateTime.MaxValue ? -1 : 1), read => read.Kind == time.Kind)
            && ComesBack(moment, default, read => read.EqualsExact(moment))
            && ComesBack(span, span == TimeSpan.Zero ? TimeSpan.MaxValue : TimeSpan.Zero)
            && ComesBack(date, date == DateOnly.MinValue ? DateOnly.MaxValue : DateOnly.MinValue)
            && ComesBack(clock, clock == TimeOnly.MinValue ? TimeOnly.MaxValue : TimeOnly.MinValue));

    private bool ComesBack<T>(T value, T fallback, Func<T, bool>? inAll = null)
        where T : ISpanParsable<T>
    {
        using var scope = new CultureScope(culture); // here, because samples run on threads of their own
        var session = new DictionarySession();
        session.SetValue("key", value);
        var read = session.GetValue("key", fallback);
        return read.Equals(value) && inAll?.Invoke(read) is not false;
    }

    [Test]
    public void Culture_would_show()
    {
        using var scope = new CultureScope(culture);

        // Where the machine has no cultures, these tests would pass for nothing.
        string shown = FormattableString.CurrentCulture($"{-1.5} {Moment:d} {"i".ToUpper(CultureInfo.CurrentCulture)}");
        Assert.That(shown, culture.Length == 0 ? Is.EqualTo("-1.5 02/29/2024 I") : Is.Not.EqualTo("-1.5 02/29/2024 I"));
    }

    private static string LocalOffset => new DateTimeOffset(DateTime.SpecifyKind(Moment, DateTimeKind.Local))
        .ToString("zzz", CultureInfo.InvariantCulture);

    /// <summary>A value that goes into a session and comes out again, with the text that is stored in between.</summary>
    internal sealed record RoundTrip(string Name, Action<ISession> Check)
    {
        // Escaped: with a NUL in its name, a test is silently left out wherever "dotnet test" is given a filter.
        public static RoundTrip Of<T>(T value, string stored, T fallback)
            where T : ISpanParsable<T> => new($"{typeof(T).Name} {JsonEncodedText.Encode(stored)}", session =>
            {
                Assert.That(value, Is.Not.EqualTo(fallback), "The fallback would hide a failure to read.");
                session.SetValue("key", value);
                Assert.That(Encoding.UTF8.GetString(session.Get("key")!), Is.EqualTo(stored));
                var read = session.GetValue("key", fallback);
                Assert.That(read, Is.EqualTo(value));

                // Equality does not see a time's kind and offset, a decimal's scale or a zero's sign; the stored text does.
                session.SetValue("again", read);
                Assert.That(session.Get("again"), Is.EqualTo(session.Get("key")));
            });

        public override string ToString() => Name;
    }
}
