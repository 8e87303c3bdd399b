using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// What a request changed, as its net effect: all keys cleared or not, then for each key its last value, or null for removed.
/// Applying it once or twice, or in two parts, gives the same session.
/// </summary>
internal sealed class SessionChanges
{
    private readonly Dictionary<string, byte[]?> _keys = new(StringComparer.Ordinal);
    private int _removed;

    public bool Cleared { get; private set; }

    /// <summary>The user whose session it becomes; null to leave that as it is.</summary>
    public string? User { get; private set; }

    public bool IsEmpty => !Cleared && User is null && _keys.Count == 0;

    /// <summary>Each changed key with its new value, or null where it was removed.</summary>
    public IReadOnlyDictionary<string, byte[]?> Keys => _keys;

    public void Set(string key, byte[] value) => Put(key, value);

    public void Remove(string key) => Put(key, null);

    public void Clear()
    {
        _keys.Clear();
        _removed = 0;
        Cleared = true;
    }

    /// <summary>Binds the session to a user. It stays bound when all keys are cleared.</summary>
    public void Bind(string user) => User = user;

    /// <summary>Adds what was changed after this.</summary>
    public void Append(SessionChanges later)
    {
        User = later.User ?? User;
        if (later.Cleared) Clear();
        foreach (var (key, value) in later._keys) Put(key, value);
    }

    /// <summary>True when these changes alone say what <paramref name="key"/> holds; a null value says that it holds nothing.</summary>
    public bool Decides(string key, out byte[]? value) => _keys.TryGetValue(key, out value) || Cleared;

    /// <summary>The keys that a session with <paramref name="keys"/> has after these changes.</summary>
    public HashSet<string> Overlay(IEnumerable<string> keys)
    {
        var after = (Cleared ? [] : keys).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, value) in _keys)
        {
            if (value is null) after.Remove(key);
            else after.Add(key);
        }

        return after;
    }

    /// <summary>The arguments of <see cref="SessionScripts.Change"/>.</summary>
    public RedisValue[] ToArguments(SessionExpiry expiry, string? generationSeen, string newGeneration, ValueProtector? protector)
    {
        int users = User is null ? 0 : 1;
        int sets = _keys.Count - _removed + users;
        int removes = _removed + users; // whoever is bound here is not replaced by who signs in
        var arguments = new RedisValue[7 + removes + (2 * sets)];
        arguments[0] = expiry.Idle;
        arguments[1] = expiry.Absolute;
        arguments[2] = generationSeen ?? RedisValue.EmptyString;
        arguments[3] = newGeneration;
        arguments[4] = sets > 0; // removing from a session that is not there does not create one
        arguments[5] = Cleared;
        arguments[6] = removes;

        int remove = 7, set = 7 + removes;
        foreach (var (key, value) in _keys)
        {
            if (value is null)
            {
                arguments[remove++] = SessionHashLayout.FieldOf(key);
            }
            else
            {
                arguments[set++] = SessionHashLayout.FieldOf(key);
                arguments[set++] = protector is null ? value : protector.Protect(value);
            }
        }

        if (User is not null)
        {
            arguments[remove] = SessionHashLayout.Automatic;
            arguments[set++] = SessionHashLayout.User;
            arguments[set] = User;
        }

        return arguments;
    }

    private void Put(string key, byte[]? value)
    {
        if (_keys.TryGetValue(key, out var before) && before is null) _removed--;
        if (value is null) _removed++;
        _keys[key] = value;
    }
}
