using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// The session of one request, as operations see it: the <see cref="SessionState"/>, the request that it belongs to, and the tasks that are
/// under way for it.
/// </summary>
internal abstract class RequestSession(SessionState state, SessionTimeouts timeouts, Func<bool> tryEstablish, HttpContext? request)
{
    /// <summary>What <see cref="Confirmation"/> is while nothing was sent.</summary>
    public static readonly Task<ExceptionDispatchInfo?> Confirmed = Task.FromResult<ExceptionDispatchInfo?>(null);

    private bool _isWatchingResponse;

    public SessionState State { get; } = state;

    public SessionTimeouts Timeouts { get; } = timeouts;

    /// <summary>Null where there is none, or none any more.</summary>
    public HttpContext? Request { get; set; } = request;

    public string Id => State.Identity.Id;

    /// <summary>
    /// Done when every batch that was sent is confirmed, with null, or with what failed: a failed task would have to be observed by somebody.
    /// </summary>
    public Task<ExceptionDispatchInfo?> Confirmation { get; set; } = Confirmed;

    /// <summary>The last of the changes that depend on what Redis holds: their replies are taken in in the order of sending.</summary>
    public Task Operation { get; set; } = Task.CompletedTask;

    /// <summary>Done when the session has its new key, or keeps the old one: what would change it waits for that.</summary>
    public Task Move { get; set; } = Task.CompletedTask;

    /// <summary>What is on its way to the list of the user.</summary>
    public Task Listing { get; set; } = Task.CompletedTask;

    /// <summary>The response waits for <see cref="Listing"/>.</summary>
    public bool IsListingWaitedFor { get; set; }

    /// <summary>
    /// False while a listing is under way that was sent with what the request waits for anyway, and that is the first for its user. Where
    /// Redis does not answer, nothing waits for it.
    /// </summary>
    public bool IsListed => !IsListingWaitedFor || Listing.IsCompleted || State.Failure is not null;

    /// <summary>The key was renewed in this request; null where it was not, and when that was undone.</summary>
    public PendingRenewal? Renewal { get; set; }

    // Counted for a hint in the log. Guarded by the state's lock, as all of this.
    public SequentialReads Reads;

    /// <summary>
    /// Has <see cref="OnResponseStartingAsync"/> called before the response starts. Such callbacks run last to first, so where this is done
    /// when the session is made, it comes after those of the application, which may change the session too.
    /// </summary>
    public void WatchResponse(HttpContext request)
    {
        if (_isWatchingResponse || request.Response.HasStarted) return;
        _isWatchingResponse = true;
        request.Response.OnStarting(static session => ((RequestSession)session).OnResponseStartingAsync(), this);
    }

    /// <summary>The response is about to start: what was changed is confirmed, and the cookie that goes with it is set.</summary>
    protected abstract Task OnResponseStartingAsync();

    /// <summary>Sees to it that the response sets the session's cookie; false when it cannot any more.</summary>
    public bool TryEstablish() => tryEstablish();

    /// <summary>Refuses, at the earliest moment, what ASP.NET Core's session refuses; returns the normal form of the key.</summary>
    public string CheckSet(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        SessionHashLayout.ThrowIfNotAKey(key);
        if (!TryEstablish())
        {
            throw new InvalidOperationException("The session cannot be established after the response has started.");
        }

        return SessionHashLayout.Normalize(key);
    }
}
