using System.Diagnostics.CodeAnalysis;

namespace RedisSession.Provider.Tests;

/// <summary>The simplest session there can be, and not one of ours: for what the extensions do to any <see cref="ISession"/>.</summary>
internal sealed class DictionarySession : ISession
{
    private readonly Dictionary<string, byte[]> _values = [];

    public bool IsAvailable => true;

    public string Id => nameof(DictionarySession);

    public IEnumerable<string> Keys => _values.Keys;

    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value) => _values.TryGetValue(key, out value);

    public void Set(string key, byte[] value) => _values[key] = value;

    public void Remove(string key) => _values.Remove(key);

    public void Clear() => _values.Clear();

    public Task LoadAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task CommitAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
}
