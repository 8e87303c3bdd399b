using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>A session was given a new key by <c>RenewSessionAsync</c>, and with it a new id.</summary>
/// <param name="Id">Its new public id: <see cref="ISession.Id"/>.</param>
/// <param name="OldId">Its previous public id, which is no longer valid.</param>
/// <param name="User">The user who owns the session; null if unknown.</param>
public sealed record SessionRenewed(string Id, string OldId, string? User);
