using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// A session whose key was renewed, until its response starts: the new session is there, and the old one has not ended yet. See
/// <see cref="KeyRenewal"/>.
/// </summary>
/// <param name="request">The request whose response is to have the new cookie.</param>
/// <param name="from">The old identity.</param>
/// <param name="to">The new one.</param>
internal sealed class PendingRenewal(HttpContext request, SessionIdentity from, SessionIdentity to)
{
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);

    public HttpContext Request => request;

    public SessionIdentity From => from;

    public SessionIdentity To => to;

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
}
