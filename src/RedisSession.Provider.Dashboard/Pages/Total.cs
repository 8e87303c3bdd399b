namespace RedisSession.Provider.Dashboard;

/// <summary>How many sessions there are, in words that agree with the list below them. Pure.</summary>
/// <param name="Text">Such as <c>1,234 sessions</c>, <c>at least 50 sessions</c>.</param>
/// <param name="Note">Where the number comes from.</param>
internal sealed record Total(string Text, string Note)
{
    /// <param name="shown">How many are on the page.</param>
    /// <param name="isAll">Whether these are all sessions.</param>
    /// <param name="last">The last count; null if there is none.</param>
    /// <param name="now">The current time.</param>
    public static Total Of(int shown, bool isAll, SessionCount? last, DateTimeOffset now)
    {
        if (isAll) return new(Quantity.Of(shown, "session"), "all on this page");
        return last is { } count && count.Count >= shown
            ? new(Quantity.Of(count.Count, "session"), $"counted {Quantity.Ago(now - count.At)}")
            : new($"at least {Quantity.Of(shown, "session")}", last is null ? "not counted" : "being counted");
    }
}
