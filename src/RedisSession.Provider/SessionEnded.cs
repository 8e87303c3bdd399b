using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>A session has ended.</summary>
/// <param name="Id">Its former public id: <see cref="ISession.Id"/>.</param>
/// <param name="User">The user who owned the session; null if unknown.</param>
/// <param name="Reason">Why it ended.</param>
public sealed record SessionEnded(string Id, string? User, SessionEndReason Reason);
