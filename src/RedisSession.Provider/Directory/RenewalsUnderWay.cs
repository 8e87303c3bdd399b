using System.Collections.Concurrent;

namespace RedisSession.Provider;

/// <summary>
/// The sessions to which requests of this process give a new key. Until such a response starts, the session is there under both keys, and
/// its user's list has both. To its own request, and to whoever spares it, they are one session. To everybody else they are two, of which
/// the old one counts: to end a session, both have to be ended.
/// </summary>
internal sealed class RenewalsUnderWay
{
    private readonly ConcurrentDictionary<string, string> _oldIds = new(StringComparer.Ordinal); // by the new one

    public void Begin(string oldId, string newId) => _oldIds[newId] = oldId;

    /// <summary>Its request is over.</summary>
    public void End(string newId) => _oldIds.TryRemove(newId, out _);

    /// <summary>The id that a session had before its request renewed its key; null if that has not.</summary>
    public string? OldIdOf(string newId) => _oldIds.GetValueOrDefault(newId);

    /// <summary>A session's id, the one that it had before, and those that it is about to get.</summary>
    public IEnumerable<string> IdsOf(string id)
    {
        yield return id;
        foreach (var (newId, oldId) in _oldIds)
        {
            if (newId == id) yield return oldId;
            else if (oldId == id) yield return newId;
        }
    }
}
