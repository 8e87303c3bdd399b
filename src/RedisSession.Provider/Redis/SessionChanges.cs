using System.Diagnostics.CodeAnalysis;

namespace RedisSession.Provider;

/// <summary>
/// What a request changed, as its net effect: all keys cleared or not, then for each key its last value, or null for removed.
/// Applying it once or twice, or in two parts, gives the same session.
/// </summary>
/// <remarks>Most requests change a key or two: those are searched, and only many get an index.</remarks>
internal sealed class SessionChanges
{
    private const int KeysBeforeIndex = 16;

    private KeyValuePair<string, byte[]?>[] _keys = [];
    private Dictionary<string, int>? _index;
    private int _count;
    private int _removed;

    public bool Cleared { get; private set; }

    /// <summary>The user to bind the session to; null to leave that as it is.</summary>
    public string? User { get; private set; }

    public bool IsEmpty => !Cleared && User is null && _count == 0;

    /// <summary>Where there is no session, all of this is true already.</summary>
    public bool OnlyRemoves => User is null && SetCount == 0;

    public int SetCount => _count - _removed;

    public int RemoveCount => _removed;

    /// <summary>Each changed key with its new value, or null where it was removed.</summary>
    public ReadOnlySpan<KeyValuePair<string, byte[]?>> Keys => _keys.AsSpan(0, _count);

    public void Set(string key, byte[] value) => Put(key, value);

    public void Remove(string key) => Put(key, null);

    public void Clear()
    {
        _keys = [];
        _index = null;
        _count = _removed = 0;
        Cleared = true;
    }

    /// <summary>Binds the session to a user. It stays bound when all keys are cleared.</summary>
    public void Bind(string user) => User = user;

    /// <summary>Adds later changes.</summary>
    public void Append(SessionChanges later)
    {
        User = later.User ?? User;
        if (later.Cleared) Clear();
        foreach (var (key, value) in later.Keys) Put(key, value);
    }

    /// <summary>Merges both into the earlier one; use neither afterwards.</summary>
    [return: NotNullIfNotNull(nameof(earlier)), NotNullIfNotNull(nameof(later))]
    public static SessionChanges? Merge(SessionChanges? earlier, SessionChanges? later)
    {
        if (earlier is null || later is null) return earlier ?? later;
        earlier.Append(later);
        return earlier;
    }

    /// <inheritdoc cref="Decides"/>
    public static bool Decide(SessionChanges? changes, string key, out byte[]? value)
    {
        value = null;
        return changes is not null && changes.Decides(key, out value);
    }

    /// <summary>
    /// True if these changes alone determine what <paramref name="key"/> holds; a null value means that it holds nothing.
    /// </summary>
    public bool Decides(string key, out byte[]? value)
    {
        int at = Find(key);
        value = at < 0 ? null : _keys[at].Value;
        return at >= 0 || Cleared;
    }

    /// <summary>The keys that a session with <paramref name="keys"/> has after these changes.</summary>
    public HashSet<string> Overlay(IEnumerable<string> keys)
    {
        var after = (Cleared ? [] : keys).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, value) in Keys)
        {
            if (value is null) after.Remove(key);
            else after.Add(key);
        }

        return after;
    }

    private void Put(string key, byte[]? value)
    {
        if (value is null) _removed++;
        int at = Find(key);
        if (at >= 0)
        {
            if (_keys[at].Value is null) _removed--;
        }
        else
        {
            at = _count++;
            if (at == _keys.Length) Array.Resize(ref _keys, Math.Max(1, 2 * at));
            if (_count == KeysBeforeIndex) _index = new(_keys.Take(at).Select((entry, i) => KeyValuePair.Create(entry.Key, i)));
            _index?.Add(key, at);
        }

        _keys[at] = new(key, value);
    }

    private int Find(string key)
    {
        if (_index is not null) return _index.GetValueOrDefault(key, -1);
        for (int i = 0; i < _count; i++)
        {
            if (_keys[i].Key == key) return i;
        }

        return -1;
    }
}
