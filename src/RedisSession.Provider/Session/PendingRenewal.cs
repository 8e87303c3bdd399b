using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// A session whose key was renewed, until its response is out: the new session exists, and the old one has not ended yet, or could still be
/// put back. See <see cref="KeyRenewal"/>.
/// </summary>
/// <param name="request">The request whose response gets the new cookie.</param>
/// <param name="from">The old identity.</param>
/// <param name="to">The new one.</param>
internal sealed class PendingRenewal(HttpContext request, SessionIdentity from, SessionIdentity to)
{
    private readonly Dictionary<string, int> _changed = new(StringComparer.Ordinal); // how often
    private readonly Lock _gate = new();
    private bool _isOver;

    public HttpContext Request => request;

    /// <summary>The visitor has left. Can be read even when the request is over.</summary>
    public CancellationToken Aborted { get; } = request.RequestAborted;

    /// <summary>
    /// The visitor's connection is closed. A browser keeps it open for a while after a response. If request or response asks to close it
    /// afterwards, that says nothing.
    /// </summary>
    public CancellationToken ConnectionClosed { get; } = request.Features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed ?? default;

    /// <summary>Read only while the request is alive.</summary>
    public bool IsConnectionKept => ConnectionClosed.CanBeCanceled
        && !HttpProtocol.IsHttp10(request.Request.Protocol)
        && !SaysClose(request.Request.Headers.Connection)
        && !SaysClose(request.Response.Headers.Connection);

    /// <summary>The new cookie's value, as it stands in the response's header.</summary>
    public string Cookie { get; set; } = "";

    /// <summary>False if something has removed it since it was set. Read only while the request is alive.</summary>
    public bool HasCookie => SessionCookie.IsIn(request.Response.Headers, Cookie);

    public SessionIdentity From => from;

    public SessionIdentity To => to;

    /// <summary>The key of the old session, the key it is parked under, and the new key.</summary>
    public RedisKey[] Keys { get; } = [.. from.RedisKeyWithParked, to.RedisKey];

    /// <summary>The new generation.</summary>
    public string Generation { get; } = SessionGeneration.Create();

    /// <summary>What the request had seen of the old session when that was copied.</summary>
    public RedisValue Seen { get; set; }

    /// <summary>The old generation; null if there is none.</summary>
    public RedisValue OldGeneration { get; set; }

    /// <summary>The old session's owner; null if it had none, or did not exist.</summary>
    public string? OldOwner { get; set; }

    /// <summary>The new session's owner.</summary>
    public string? Owner { get; set; }

    /// <summary>
    /// The token of the lock that the request held when the old session was copied, and that is copied with it; null if it held none.
    /// </summary>
    public string? LockToken { get; set; }

    /// <summary>Whether there was an old session.</summary>
    public bool WasThere { get; set; }

    /// <summary>The new session's time to live when it was created, in milliseconds.</summary>
    public long TimeToLive { get; set; }

    /// <summary>The copied fields, if the data travels through the application.</summary>
    public HashSet<string>? Copied { get; set; }

    /// <summary>What was sent for this renewal. It goes on even if nothing waits for it.</summary>
    public Task UnderWay { get; private set; } = Task.CompletedTask;

    /// <summary>The old session has ended.</summary>
    public bool IsFinished { get; set; }

    /// <summary>It could not be finished: the old session stays as it is.</summary>
    public bool IsUndone { get; set; }

    public bool IsPending => !IsFinished && !IsUndone;

    /// <summary>The new session was cleared: nothing of the old one is carried over.</summary>
    public bool IsCleared { get; private set; }

    /// <summary>The fields changed in the new session itself: what others write to them in the old one is ignored.</summary>
    public IReadOnlyCollection<string> Changed => _changed.Keys;

    /// <summary>The new session changes these keys.</summary>
    public void Note(SessionChanges changes)
    {
        IsCleared |= changes.Cleared;
        foreach (var (key, _) in changes.Keys) Note(key);
    }

    public void Note(string key)
    {
        string field = SessionHashLayout.FieldOf(key);
        _changed[field] = _changed.GetValueOrDefault(field) + 1;
    }

    /// <summary>A change that was noted changed nothing.</summary>
    public void Unnote(string key)
    {
        string field = SessionHashLayout.FieldOf(key);
        if (--_changed[field] == 0) _changed.Remove(field);
    }

    public bool HasChanged(string field) => _changed.ContainsKey(field);

    public Task<T> Sent<T>(Task<T> operation)
    {
        UnderWay = Task.WhenAll(UnderWay, operation).Observed();
        return operation;
    }

    /// <summary>The request is over, or need not be watched any more. True for the first caller.</summary>
    public bool TryEnd()
    {
        lock (_gate) return !_isOver && (_isOver = true);
    }

    /// <summary>The response has started with the new cookie. Null when it has started without, or the request is over.</summary>
    public bool? IsCookieSent
    {
        get
        {
            lock (_gate)
            {
                if (_isOver) return null;
                if (!request.Response.HasStarted) return false;
                return HasCookie ? true : null;
            }
        }
    }

    private static bool SaysClose(StringValues header) => header.ToString().Contains("close", StringComparison.OrdinalIgnoreCase);
}
