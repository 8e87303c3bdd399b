using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>What a session holds, by key. As everywhere, a missing key yields an absent value, not an exception.</summary>
internal sealed class StoredValues(Dictionary<string, SessionValue> values) : IReadOnlyDictionary<string, SessionValue>
{
    public static StoredValues None { get; } = new([]);

    public int Count => values.Count;

    public IEnumerable<string> Keys => values.Keys;

    public IEnumerable<SessionValue> Values => values.Values;

    public SessionValue this[string key] => values.GetValueOrDefault(SessionHashLayout.Normalize(key));

    public bool ContainsKey(string key) => values.ContainsKey(SessionHashLayout.Normalize(key));

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out SessionValue value) =>
        values.TryGetValue(SessionHashLayout.Normalize(key), out value);

    public IEnumerator<KeyValuePair<string, SessionValue>> GetEnumerator() => values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
