using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider.Tests;

/// <summary>The edges; <see cref="CacheContractTests"/> has what lies between them.</summary>
internal sealed class CacheExpiryTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 14, 5, 6, 789, TimeSpan.Zero);

    [Test]
    public void What_is_shorter_than_a_millisecond_is_one()
    {
        Assert.That(Of(new() { SlidingExpiration = TimeSpan.FromTicks(1) }).TimeToLive, Is.EqualTo(1));
        Assert.That(Of(new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromTicks(1) }).TimeToLive, Is.EqualTo(1));
        Assert.That(Of(new() { AbsoluteExpiration = Now.AddTicks(1) }).TimeToLive, Is.EqualTo(1));
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

    [Test]
    public void A_time_that_has_come_is_refused_even_beside_one_from_now([Values(0, -1)] int ticks) => Assert.That(
        () => Of(new() { AbsoluteExpiration = Now.AddTicks(ticks), AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1) }),
        Throws.InstanceOf<ArgumentOutOfRangeException>().With.Property("ParamName").EqualTo("AbsoluteExpiration"));

    private static CacheExpiry Of(DistributedCacheEntryOptions options) => CacheExpiry.From(options, Now);
}
