using Microsoft.AspNetCore.Builder;

namespace RedisSession.Provider;

/// <summary>
/// Says of an endpoint whether <see cref="RedisHashSessionApplicationBuilderExtensions.UseRedisHashSession(IApplicationBuilder, bool?)"/>
/// loads its session before it begins, whatever that was told or has learnt: an attribute of a controller, an action, a page or a lambda,
/// or metadata (<c>WithMetadata(new LoadSessionAheadAttribute())</c>). One round trip, for requests that carry a session cookie.
/// </summary>
/// <param name="loadAhead">False for an endpoint that is not to have its session loaded.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LoadSessionAheadAttribute(bool loadAhead = true) : Attribute
{
    /// <summary>Whether the session is loaded.</summary>
    public bool LoadAhead { get; } = loadAhead;
}
