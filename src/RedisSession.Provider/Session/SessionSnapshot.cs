using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>All keys and values of a session at one moment, plus what this request has written since.</summary>
internal sealed class SessionSnapshot
{
    private readonly Dictionary<string, byte[]> _values;

    private SessionSnapshot(Dictionary<string, byte[]> values) => _values = values;

    public static SessionSnapshot Empty() => new(new(StringComparer.Ordinal));

    public int Count => _values.Count;

    public IEnumerable<string> Keys => _values.Keys;

    /// <summary>
    /// Reads a whole hash; <paramref name="generation"/> is null when there is none, or one that was made by hand. What
    /// <paramref name="protector"/> cannot decrypt is not there.
    /// </summary>
    public static SessionSnapshot Parse(HashEntry[] hash, ValueProtector? protector, out string? generation)
    {
        generation = null;
        var values = new Dictionary<string, byte[]>(hash.Length, StringComparer.Ordinal);
        foreach (var entry in hash)
        {
            if (SessionHashLayout.SessionKeyOf(entry.Name) is { } key)
            {
                byte[] value = (byte[]?)entry.Value ?? [];
                if (protector is null) values[key] = value;
                else if (protector.Unprotect(value) is { } plain) values[key] = plain;
            }
            else if (entry.Name == SessionHashLayout.Generation)
            {
                generation = entry.Value;
            }
        }

        return new(values);
    }

    public byte[]? Find(string key) => _values.GetValueOrDefault(key);

    public void Apply(SessionChanges changes)
    {
        if (changes.Cleared) _values.Clear();
        foreach (var (key, value) in changes.Keys)
        {
            if (value is null) _values.Remove(key);
            else _values[key] = value;
        }
    }
}
