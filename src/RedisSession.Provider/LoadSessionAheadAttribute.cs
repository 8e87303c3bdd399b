using Microsoft.AspNetCore.Builder;

namespace RedisSession.Provider;

/// <summary>
/// Decides for an endpoint whether
/// <see cref="RedisHashSessionApplicationBuilderExtensions.UseRedisHashSession(IApplicationBuilder, bool?)"/> loads its session before it
/// begins, whatever that has been told or has learnt. Put it on a controller, an action, a page or a lambda, or add it as metadata
/// (<c>WithMetadata(new LoadSessionAheadAttribute())</c>). One round trip, for requests that carry a session cookie.
/// </summary>
/// <param name="loadAhead">False for an endpoint whose session is not to be loaded.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LoadSessionAheadAttribute(bool loadAhead = true) : Attribute
{
    /// <summary>Whether the session is loaded.</summary>
    public bool LoadAhead { get; } = loadAhead;
}
