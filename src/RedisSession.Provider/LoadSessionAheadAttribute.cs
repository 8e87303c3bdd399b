using Microsoft.AspNetCore.Builder;

namespace RedisSession.Provider;

/// <summary>
/// Determines for an endpoint whether
/// <see cref="RedisHashSessionApplicationBuilderExtensions.UseRedisHashSession(IApplicationBuilder, bool?)"/> loads the session before the
/// endpoint runs. It overrides the argument of that method and anything the middleware has learned. Put it on a controller, an action, a
/// page or a lambda, or add it as metadata (<c>WithMetadata(new LoadSessionAheadAttribute())</c>). Costs one round trip for each request
/// that carries a session cookie.
/// </summary>
/// <param name="loadAhead">False if the session of the endpoint must not be loaded ahead.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LoadSessionAheadAttribute(bool loadAhead = true) : Attribute
{
    /// <summary>Whether the session is loaded before the endpoint runs.</summary>
    public bool LoadAhead { get; } = loadAhead;
}
