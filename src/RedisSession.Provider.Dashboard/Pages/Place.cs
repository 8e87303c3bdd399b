namespace RedisSession.Provider.Dashboard;

/// <summary>What a page needs to know beside what it shows.</summary>
/// <param name="Token">Goes into its forms.</param>
/// <param name="Now">The time that ages and expiries are counted from.</param>
/// <param name="IsLater">Whether this is not the first page of a list.</param>
/// <param name="Ended">How many sessions the form has ended that led here; null when none did.</param>
internal sealed record Place(FormToken Token, DateTimeOffset Now, bool IsLater = false, int? Ended = null);
