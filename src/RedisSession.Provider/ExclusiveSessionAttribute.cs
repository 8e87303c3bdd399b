using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// The requests of one session take turns at this endpoint, as in classic ASP.NET: each has the session's lock
/// (<see cref="SessionLockExtensions.LockAsync"/>) before it begins, and releases it when its changes are confirmed. For controllers,
/// actions, pages and lambdas; <c>WithExclusiveSession()</c> says the same of an endpoint. It needs <c>UseRedisHashSession()</c> after
/// routing.
/// </summary>
/// <remarks>
/// One round trip more for each request, and the wait for others of the same session. Not for hubs, whose connections would hold the lock for
/// as long as they live.
/// </remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class ExclusiveSessionAttribute : Attribute
{
    /// <summary>How many seconds a request waits for its turn. Default: 30.</summary>
    public double WaitSeconds { get; set; } = 30;

    /// <summary>
    /// What happens to a request that has waited in vain: true throws <see cref="SessionLockTimeoutException"/>, so that you can show a
    /// page of your own; false, the default, answers 503 with <c>Retry-After</c>.
    /// </summary>
    public bool Throws { get; set; }
}
