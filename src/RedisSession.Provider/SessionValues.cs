using System.Collections;
using System.Diagnostics.CodeAnalysis;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// The values of several session keys, read at one moment: by key, and by position in the order they were requested. Every requested key is
/// present; one that the session does not have is a <see cref="SessionValue"/> whose <see cref="SessionValue.None"/> is true.
/// </summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "The plural of SessionValue says it.")]
public sealed class SessionValues : IReadOnlyDictionary<string, SessionValue>
{
    private readonly string[] _keys;
    private readonly SessionValue[] _values;

    internal SessionValues(string[] keys, SessionValue[] values) => (_keys, _values) = (keys, values);

    /// <summary>The value at <paramref name="index"/>, in the order of the request.</summary>
    /// <exception cref="IndexOutOfRangeException">Fewer keys were requested.</exception>
    public SessionValue this[int index] => _values[index];

    /// <summary>The value of <paramref name="key"/>.</summary>
    /// <exception cref="KeyNotFoundException">This key was not requested.</exception>
    public SessionValue this[string key] => TryGetValue(key, out var value)
        ? value
        : throw new KeyNotFoundException($"The session key '{LogText.Line(key)}' was not among the requested keys.");

    /// <summary>The keys, in the order they were requested.</summary>
    public IEnumerable<string> Keys => _keys;

    /// <summary>The values, in the order the keys were requested.</summary>
    public IEnumerable<SessionValue> Values => _values;

    /// <summary>The number of keys that were requested.</summary>
    public int Count => _keys.Length;

    /// <summary>True if <paramref name="key"/> was requested, whether or not the session has it.</summary>
    public bool ContainsKey(string key) => TryGetValue(key, out _);

    /// <summary>False if <paramref name="key"/> was not requested.</summary>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out SessionValue value)
    {
        ArgumentNullException.ThrowIfNull(key);

        // There are so few keys that a search is cheaper than an index.
        int index = Array.IndexOf(_keys, key);
        value = index < 0 ? default : _values[index];
        return index >= 0;
    }

    /// <summary>The keys and values, in the order they were requested.</summary>
    public IEnumerator<KeyValuePair<string, SessionValue>> GetEnumerator()
    {
        for (int i = 0; i < _keys.Length; i++) yield return new(_keys[i], _values[i]);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
