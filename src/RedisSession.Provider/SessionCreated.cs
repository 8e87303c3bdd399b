using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>A session has begun: a request has written to it for the first time, and Redis has confirmed the write.</summary>
/// <param name="Id">The public id: <see cref="ISession.Id"/>.</param>
/// <param name="User">The user who owns the session; null if unknown, or not yet known.</param>
public sealed record SessionCreated(string Id, string? User);
