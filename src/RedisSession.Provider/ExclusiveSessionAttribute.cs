using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// Makes the requests of one session take turns at this endpoint, as in classic ASP.NET: each request acquires the session's lock
/// (<see cref="SessionLockExtensions.LockAsync"/>) before the endpoint runs, and releases it when its changes are confirmed. Use it on
/// controllers, actions, pages and lambdas; <c>WithExclusiveSession()</c> does the same for an endpoint. Requires
/// <c>UseRedisHashSession()</c> after routing.
/// </summary>
/// <remarks>
/// Each request costs one more round trip, plus the wait for other requests of the same session. Do not use it on hubs: their connections
/// would hold the lock for as long as they are open.
/// </remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class ExclusiveSessionAttribute : Attribute
{
    /// <summary>How many seconds a request waits for the lock. Default: 30.</summary>
    public double WaitSeconds { get; set; } = 30;

    /// <summary>
    /// What happens to a request that does not get the lock within <see cref="WaitSeconds"/>. True: it throws
    /// <see cref="SessionLockTimeoutException"/>, so that you can show a page of your own. False (the default): the response is 503 with
    /// <c>Retry-After</c>.
    /// </summary>
    public bool Throws { get; set; }
}
