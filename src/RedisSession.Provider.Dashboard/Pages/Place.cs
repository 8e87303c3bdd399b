namespace RedisSession.Provider.Dashboard;

/// <summary>What a page needs to know beside what it shows.</summary>
/// <param name="View">What its address says.</param>
/// <param name="Token">Goes into its forms.</param>
/// <param name="Now">The time that ages and expiries are counted from.</param>
internal sealed record Place(View View, FormToken Token, DateTimeOffset Now);
