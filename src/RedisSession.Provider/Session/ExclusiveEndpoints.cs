using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;

namespace RedisSession.Provider;

/// <summary>What an endpoint asks for with <see cref="ExclusiveSessionAttribute"/>.</summary>
internal static class ExclusiveEndpoints
{
    public static ExclusiveSessionAttribute? Of(Endpoint? endpoint) => endpoint?.Metadata.GetMetadata<ExclusiveSessionAttribute>();

    /// <summary>
    /// Takes the lock before the endpoint runs. False if others held it for the whole wait: the request has been answered.
    /// </summary>
    public static async Task<bool> TryEnterAsync(HttpContext context, RedisHashSession session, ExclusiveSessionAttribute exclusive)
    {
        if (context.GetEndpoint()!.Metadata.GetMetadata<HubMetadata>() is not null)
        {
            throw new InvalidOperationException(
                $"{context.GetEndpoint()!.DisplayName} is a hub: its connection would hold the session's lock for as long as it is open. "
                + "Remove ExclusiveSession from it, and call LockAsync in the hub methods that need the lock.");
        }

        if (session.Lock is not null) return true; // the second pass of a request, such as an error page
        var wait = TimeSpan.FromSeconds(exclusive.WaitSeconds);
        if (await session.TryLockAsync(wait, context.RequestAborted).ConfigureAwait(false) is not null)
        {
            session.Lock!.EndsWithResponse = true;
            return true;
        }

        if (exclusive.Throws) throw new SessionLockTimeoutException(session.Id, wait);
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        context.Response.Headers.RetryAfter = "1";
        return false;
    }

    /// <summary>An endpoint that asked for the lock in vain must not silently run without it.</summary>
    public static InvalidOperationException NotHeard(Endpoint endpoint) => new(
        $"{endpoint.DisplayName} requires ExclusiveSession, but nothing acquires the lock: call UseRedisHashSession instead of UseSession, "
        + "after UseRouting.");
}
