using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>A session is no more.</summary>
/// <param name="Id">The public id that it had: <see cref="ISession.Id"/>.</param>
/// <param name="User">Whose session it was; null when that is not known.</param>
/// <param name="Reason">Why it is no more.</param>
public sealed record SessionEnded(string Id, string? User, SessionEndReason Reason);
