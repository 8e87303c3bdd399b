using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// A session whose key was renewed, until its response is out: the new session is there, and the old one has not ended yet, or could still
/// be put back. See <see cref="KeyRenewal"/>.
/// </summary>
/// <param name="request">The request whose response is to have the new cookie.</param>
/// <param name="from">The old identity.</param>
/// <param name="to">The new one.</param>
internal sealed class PendingRenewal(HttpContext request, SessionIdentity from, SessionIdentity to)
{
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private bool _isOver;

    public HttpContext Request => request;

    /// <summary>The visitor has gone. To be asked when the request may be over, too.</summary>
    public CancellationToken Aborted { get; } = request.RequestAborted;

    /// <summary>
    /// The visitor's connection is closed. A browser keeps it for a while when it has a response; where request or response say that it is
    /// closed behind this one, that says nothing.
    /// </summary>
    public CancellationToken ConnectionClosed { get; } = request.Features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed ?? default;

    /// <summary>To be asked while the request is alive.</summary>
    public bool IsConnectionKept => ConnectionClosed.CanBeCanceled
        && !HttpProtocol.IsHttp10(request.Request.Protocol)
        && !SaysClose(request.Request.Headers.Connection)
        && !SaysClose(request.Response.Headers.Connection);

    public SessionIdentity From => from;

    public SessionIdentity To => to;

    /// <summary>Where the old session is, where it is to be parked, and where the new one is.</summary>
    public RedisKey[] Keys { get; } = [.. from.RedisKeyWithParked, to.RedisKey];

    /// <summary>Of the new session.</summary>
    public string Generation { get; } = SessionGeneration.Create();

    /// <summary>Of the old session; null where it has none.</summary>
    public RedisValue OldGeneration { get; set; }

    /// <summary>Whose the old session was; null when it was nobody's, or there was none.</summary>
    public string? OldOwner { get; set; }

    /// <summary>Whose the new one is.</summary>
    public string? Owner { get; set; }

    /// <summary>Whether there was an old one.</summary>
    public bool WasThere { get; set; }

    /// <summary>How many milliseconds the new one had to live when it was made.</summary>
    public long TimeToLive { get; set; }

    /// <summary>The fields that were copied, where the data travels through the application.</summary>
    public HashSet<string>? Copied { get; set; }

    /// <summary>What was sent in its behalf: it goes on when nobody waits for it any more.</summary>
    public Task UnderWay { get; private set; } = Task.CompletedTask;

    /// <summary>The old session has ended.</summary>
    public bool IsFinished { get; set; }

    /// <summary>The new session was cleared: nothing of the old one is carried over.</summary>
    public bool IsCleared { get; private set; }

    /// <summary>The fields that the new session has changed itself: what others write to the old one does not count for them.</summary>
    public IReadOnlyCollection<string> Changed => _changed;

    /// <summary>The new session changes these keys.</summary>
    public void Note(SessionChanges changes)
    {
        IsCleared |= changes.Cleared;
        foreach (var (key, _) in changes.Keys) Note(key);
    }

    public void Note(string key) => _changed.Add(SessionHashLayout.FieldOf(key));

    public bool HasChanged(string field) => _changed.Contains(field);

    public Task<T> Sent<T>(Task<T> operation)
    {
        UnderWay = Task.WhenAll(UnderWay, operation).Observed();
        return operation;
    }

    /// <summary>The request is over, or need not be watched any more. True for the first who says so.</summary>
    public bool TryEnd()
    {
        lock (_gate) return !_isOver && (_isOver = true);
    }

    /// <summary>Null when the request is over, and cannot be asked.</summary>
    public bool? HasResponseStarted
    {
        get
        {
            lock (_gate) return _isOver ? null : request.Response.HasStarted;
        }
    }

    private static bool SaysClose(StringValues header) => header.ToString().Contains("close", StringComparison.OrdinalIgnoreCase);
}
