namespace RedisSession.Provider.Tests;

internal sealed class SessionExpiryTests
{
    [Test]
    public void Times_are_whole_milliseconds()
    {
        var expiry = SessionExpiry.From(TimeSpan.FromMinutes(20), TimeSpan.FromHours(8));
        Assert.That(expiry, Is.EqualTo(new SessionExpiry(1_200_000, 28_800_000)));
    }

    [Test]
    public void No_absolute_timeout_is_zero() => Assert.That(SessionExpiry.From(TimeSpan.FromMinutes(20), null).Absolute, Is.Zero);

    // 0 would delete the hash at once, or mean that there is no absolute timeout.
    [Test]
    public void Less_than_a_millisecond_is_one([Values(1L, 9_999L, 0L, -1L)] long ticks) => Assert.That(
        SessionExpiry.From(TimeSpan.FromTicks(ticks), TimeSpan.FromTicks(ticks)), Is.EqualTo(new SessionExpiry(1, 1)));

    [Test]
    public void Fractions_of_a_millisecond_are_cut_off() => Assert.That(
        SessionExpiry.From(TimeSpan.FromTicks(19_999), TimeSpan.FromTicks(29_999)), Is.EqualTo(new SessionExpiry(1, 2)));

    [Test]
    public void The_longest_time_is_a_hundred_years() => Assert.That(
        SessionExpiry.From(TimeSpan.MaxValue, TimeSpan.MaxValue), Is.EqualTo(new SessionExpiry(3_153_600_000_000, 3_153_600_000_000)));
}
