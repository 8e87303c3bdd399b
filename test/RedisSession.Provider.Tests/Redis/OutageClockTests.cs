using Microsoft.Extensions.Time.Testing;

namespace RedisSession.Provider.Tests;

/// <summary>For how long commands may wait for a server, by the clock.</summary>
internal sealed class OutageClockTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly EndPoint One = new DnsEndPoint("one", 6379);
    private static readonly EndPoint Other = new DnsEndPoint("other", 6379);

    [Test]
    public void A_server_that_is_there_is_not_waited_for()
    {
        var (clock, _) = New();
        Assert.That((clock.Left(One), clock.IsAnyAway, clock.MayWait), Is.EqualTo(((TimeSpan?)null, false, false)));
    }

    [Test]
    public void What_is_left_counts_from_the_moment_at_which_it_went_and_not_from_the_request()
    {
        var (clock, time) = New();
        clock.Begin(One);
        time.Advance(4.9 * Second);
        Assert.That((clock.Left(One), clock.MayWait), Is.EqualTo(((TimeSpan?)(0.1 * Second), true)));
        time.Advance(0.1 * Second);
        Assert.That(clock.Left(One), Is.LessThanOrEqualTo(TimeSpan.Zero));
        Assert.That((clock.MayWait, clock.IsAnyAway), Is.EqualTo((false, true)));
    }

    [Test]
    public void Whoever_notices_it_again_does_not_begin_it_anew()
    {
        var (clock, time) = New();
        Assert.That(clock.Begin(One), Is.True);
        time.Advance(3 * Second);
        Assert.That(clock.Begin(One), Is.False);
        Assert.That(clock.Left(One), Is.EqualTo(2 * Second));
    }

    [Test]
    public void The_next_outage_is_a_new_one()
    {
        var (clock, time) = New();
        clock.Begin(One);
        time.Advance(9 * Second);
        Assert.That((clock.End(One), clock.End(One), clock.IsAnyAway), Is.EqualTo((true, false, false)));
        clock.Begin(One);
        Assert.That(clock.Left(One), Is.EqualTo(5 * Second));
    }

    [Test]
    public void Each_server_has_its_own()
    {
        var (clock, time) = New();
        clock.Begin(One);
        time.Advance(6 * Second);
        Assert.That(clock.Left(Other), Is.Null);
        clock.Begin(Other);
        Assert.That((clock.Left(One) <= TimeSpan.Zero, clock.Left(Other), clock.MayWait), Is.EqualTo((true, (TimeSpan?)(5 * Second), true)));
        clock.End(Other);
        Assert.That((clock.IsAnyAway, clock.MayWait), Is.EqualTo((true, false)));
    }

    [Test]
    public void It_may_have_gone_before_it_was_noticed()
    {
        var (clock, time) = New();
        long since = time.GetTimestamp();
        time.Advance(2 * Second);
        clock.Begin(One, since);
        Assert.That(clock.Left(One), Is.EqualTo(3 * Second));
    }

    private static (OutageClock Clock, FakeTimeProvider Time) New()
    {
        var time = new FakeTimeProvider();
        return (new(5 * Second, time), time);
    }
}
