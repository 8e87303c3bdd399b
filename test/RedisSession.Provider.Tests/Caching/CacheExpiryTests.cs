using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider.Tests;

[TestFixture]
[Parallelizable]
internal sealed class CacheExpiryTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 14, 5, 6, 789, TimeSpan.Zero);

    [Test]
    public void Nothing_said_is_no_expiration() => Assert.That(Of(new()), Is.EqualTo(new CacheExpiry(-1, -1, null)));

    [Test]
    public void A_time_is_kept_in_ticks_of_UTC()
    {
        var end = new DateTimeOffset(2026, 11, 24, 19, 5, 8, 789, TimeSpan.FromHours(5)); // two seconds from now
        Assert.That(Of(new() { AbsoluteExpiration = end }), Is.EqualTo(new CacheExpiry(Now.AddSeconds(2).Ticks, -1, 2000)));
    }

    [Test]
    public void A_time_from_now_wins_over_an_absolute_one()
    {
        var fromNow = TimeSpan.FromSeconds(2);
        Assert.That(
            Of(new() { AbsoluteExpiration = Now.AddDays(1), AbsoluteExpirationRelativeToNow = fromNow }),
            Is.EqualTo(new CacheExpiry((Now + fromNow).Ticks, -1, 2000)));
    }

    [Test]
    public void A_sliding_expiration_is_kept_in_ticks() => Assert.That(
        Of(new() { SlidingExpiration = TimeSpan.FromMilliseconds(1500) }), Is.EqualTo(new CacheExpiry(-1, 15_000_000, 1500)));

    [TestCase(1500, 2500, ExpectedResult = 1500)]
    [TestCase(2500, 1500, ExpectedResult = 1500)]
    [TestCase(1500, 1500, ExpectedResult = 1500)]
    public long? The_nearer_of_two_is_the_TTL(int sliding, int absolute) => Of(new()
    {
        SlidingExpiration = TimeSpan.FromMilliseconds(sliding),
        AbsoluteExpirationRelativeToNow = TimeSpan.FromMilliseconds(absolute),
    }).TimeToLive;

    [Test]
    public void What_is_shorter_than_a_millisecond_is_one()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Of(new() { SlidingExpiration = TimeSpan.FromTicks(1) }).TimeToLive, Is.EqualTo(1));
            Assert.That(Of(new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromTicks(1) }).TimeToLive, Is.EqualTo(1));
            Assert.That(Of(new() { AbsoluteExpiration = Now.AddTicks(1) }).TimeToLive, Is.EqualTo(1));
        }
    }

    // Servers add a TTL to their clock, and some overflow.
    [Test]
    public void For_ever_is_a_hundred_years()
    {
        const long HundredYears = 100L * 365 * 24 * 60 * 60 * 1000;
        Assert.That(
            Of(new() { SlidingExpiration = TimeSpan.MaxValue }), Is.EqualTo(new CacheExpiry(-1, TimeSpan.MaxValue.Ticks, HundredYears)));
        Assert.That(
            Of(new() { AbsoluteExpiration = DateTimeOffset.MaxValue }),
            Is.EqualTo(new CacheExpiry(DateTimeOffset.MaxValue.Ticks, -1, HundredYears)));
    }

    [TestCase(0)]
    [TestCase(-1)]
    public void A_time_that_has_come_is_refused_even_beside_one_from_now(int ticks) => Assert.That(
        () => Of(new() { AbsoluteExpiration = Now.AddTicks(ticks), AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1) }),
        Throws.InstanceOf<ArgumentOutOfRangeException>().With.Property("ParamName").EqualTo("AbsoluteExpiration"));

    private static CacheExpiry Of(DistributedCacheEntryOptions options) => CacheExpiry.From(options, Now);
}
