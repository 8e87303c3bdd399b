using System.Collections.Concurrent;

namespace RedisSession.Provider;

/// <summary>
/// The sessions to which requests of this process give a new key. Until such a response starts, the session is there under both keys, and
/// its user's list has both. To this process they are one session: it is found under its new id, and ends under both.
/// </summary>
/// <remarks>
/// What is undone is remembered for another minute: whoever has found the session under its new id, and ends it by that, ends it under the
/// old one, which stays.
/// </remarks>
internal sealed class RenewalsUnderWay(TimeProvider time)
{
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, (string OldId, DateTimeOffset? Undone)> _renewals = new(StringComparer.Ordinal); // by new id

    public void Begin(string oldId, string newId)
    {
        foreach (var (id, (_, undone)) in _renewals)
        {
            if (time.GetUtcNow() - undone > Memory) End(id);
        }

        _renewals[newId] = (oldId, Undone: null);
    }

    /// <summary>Its request is over, and only the new key is left.</summary>
    public void End(string newId) => _renewals.TryRemove(newId, out _);

    /// <summary>Its request is over, and only the old key is left.</summary>
    public void Undo(string newId)
    {
        if (_renewals.TryGetValue(newId, out var renewal)) _renewals[newId] = renewal with { Undone = time.GetUtcNow() };
    }

    /// <summary>The id that a session had before its request renewed its key; null if that has not.</summary>
    public string? OldIdOf(string newId) => _renewals.TryGetValue(newId, out var renewal) ? renewal.OldId : null;

    /// <summary>A session's id, the one that it had before, and those that it is about to get.</summary>
    public IEnumerable<string> IdsOf(string id)
    {
        yield return id;
        foreach (var (newId, (oldId, _)) in _renewals)
        {
            if (newId == id) yield return oldId;
            else if (oldId == id) yield return newId;
        }
    }
}
