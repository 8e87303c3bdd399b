using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>A session has begun: a request has written to it for the first time, and Redis has confirmed that.</summary>
/// <param name="Id">The public id: <see cref="ISession.Id"/>.</param>
/// <param name="User">Whose session it is; null when that is not known, or not yet.</param>
public sealed record SessionCreated(string Id, string? User);
