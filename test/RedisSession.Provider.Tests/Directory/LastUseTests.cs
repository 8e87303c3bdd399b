namespace RedisSession.Provider.Tests;

/// <summary>When a session was last used, as what is left of its time tells.</summary>
internal sealed class LastUseTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 20, 0, 0, TimeSpan.Zero);

    /// <summary>Minutes: the idle timeout is 20.</summary>
    [TestCase(60, 20, null, ExpectedResult = 0)]
    [TestCase(60, 5.5, null, ExpectedResult = 14.5)]
    [TestCase(60, 21, null, ExpectedResult = 0, Description = "it was longer when it was used")]
    [TestCase(3, 5, null, ExpectedResult = 3, Description = "it was shorter: not before it began")]
    [TestCase(-1, 15, null, ExpectedResult = 5, Description = "the clock of Redis is ahead of ours")]
    [TestCase(null, 15, null, ExpectedResult = 5)]
    [TestCase(60, null, null, ExpectedResult = null)]
    [TestCase(60, 15, 120, ExpectedResult = 5)]
    [TestCase(105, 15, 120, ExpectedResult = null, Description = "its absolute end is nearer")]
    [TestCase(104.5, 15, 120, ExpectedResult = null, Description = "it may be, by another clock")]
    [TestCase(103, 15, 120, ExpectedResult = 5)]
    [TestCase(null, 15, 120, ExpectedResult = null)]
    public double? It_is_so_many_minutes_ago(double? age, double? left, double? absolute)
    {
        var expiry = SessionExpiry.From(TimeSpan.FromMinutes(20), absolute is { } limit ? TimeSpan.FromMinutes(limit) : null);
        DateTimeOffset? created = age is { } old ? Now.AddMinutes(-old) : null;
        TimeSpan? timeToLive = left is { } rest ? TimeSpan.FromMinutes(rest) : null;
        return (Now - LastUse.Of(created, timeToLive, expiry, Now))?.TotalMinutes;
    }
}
