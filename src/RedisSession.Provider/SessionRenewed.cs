using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>A session has a new key, by <c>RenewSessionAsync</c>, and with it a new id.</summary>
/// <param name="Id">Its public id from now on: <see cref="ISession.Id"/>.</param>
/// <param name="OldId">Its public id until now, which names nothing any more.</param>
/// <param name="User">Whose session it is; null when that is not known.</param>
public sealed record SessionRenewed(string Id, string OldId, string? User);
