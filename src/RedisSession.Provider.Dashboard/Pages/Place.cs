namespace RedisSession.Provider.Dashboard;

/// <summary>What a page needs to know besides its content.</summary>
/// <param name="View">The view in its address.</param>
/// <param name="Token">The token for its forms.</param>
/// <param name="Now">The time that ages and expiries are counted from.</param>
internal sealed record Place(View View, FormToken Token, DateTimeOffset Now);
