using System.Diagnostics.CodeAnalysis;

namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// The least Redis work that a session in a hash can do behind the session middleware: no scripts, no checks, no generation, nothing
/// confirmed before the response. A yardstick, and no session that anyone should use.
/// </summary>
/// <remarks>
/// <code>
/// LoadAsync   EXPIRE, to which nobody waits for a reply · HGETALL, kept as it came
/// ReadAsync   EXPIRE likewise · HGET
/// CommitAsync after Set: HSET, awaited · EXPIRE likewise; else, where nothing was read: EXPIRE likewise
/// </code>
/// </remarks>
internal sealed class FloorSession(
    FloorSessionStore store, string sessionKey, TimeSpan idleTimeout, Func<bool> tryEstablishSession, bool isNewSessionKey) : ISession
{
    private const int LongestKey = 256;

    private readonly RedisKey _key = store.KeyOf(sessionKey);
    private HashEntry[]? _entries;
    private List<HashEntry>? _set;
    private bool _renewed = isNewSessionKey;
    private bool _cleared;

    public string Id => sessionKey;

    public bool IsAvailable => true;

    /// <summary>Whether what a request sets is to be committed before its answer begins.</summary>
    public bool ConfirmsFirst => store.ConfirmsFirst;

    public IEnumerable<string> Keys => throw NotNeeded();

    public async Task LoadAsync(CancellationToken cancellationToken = default)
    {
        if (_entries is not null) return;
        RenewOnce();
        _entries = await store.Database.HashGetAllAsync(_key);
    }

    /// <summary>One field.</summary>
    public async ValueTask<byte[]?> ReadAsync(string key)
    {
        RenewOnce();
        return await store.Database.HashGetAsync(_key, key);
    }

    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value)
    {
        if (_entries is null) LoadBlocking();
        value = Find(_entries!, key);
        return value is not null;
    }

    public void Set(string key, byte[] value)
    {
        if (!tryEstablishSession()) throw new InvalidOperationException("The response has started.");

        // A copy, as everybody who may have to keep it until the end of the request has to make.
        (_set ??= new(1)).Add(new(key, value.AsSpan().ToArray()));
    }

    public void Clear() => _cleared = true;

    public void Remove(string key) => throw NotNeeded();

    public Task CommitAsync(CancellationToken cancellationToken = default)
    {
        if (_cleared) return store.Database.KeyDeleteAsync(_key);
        if (_set is null)
        {
            RenewOnce();
            return Task.CompletedTask;
        }

        Task written = _set.Count == 1
            ? store.Database.HashSetAsync(_key, _set[0].Name, _set[0].Value)
            : store.Database.HashSetAsync(_key, _set.ToArray());
        _set = null;
        _renewed = false;
        RenewOnce();
        return written;
    }

    private void RenewOnce()
    {
        if (_renewed) return;
        _renewed = true;
        _ = store.Database.KeyExpireAsync(_key, idleTimeout, ExpireWhen.Always, CommandFlags.FireAndForget);
    }

    // By way of a task: the thread pool grows when a thread waits for one, and does not see the client's own way of waiting.
    private void LoadBlocking()
    {
        RenewOnce();
        _entries = Waiting.Ended(Waiting.Blocking(Timeout.InfiniteTimeSpan).ForAsync(store.Database.HashGetAllAsync(_key)));
    }

    // One after the other: a dictionary of ten keys costs more than ten searches.
    private static byte[]? Find(HashEntry[] entries, string key)
    {
        Span<byte> buffer = stackalloc byte[LongestKey];
        var name = buffer[..Encoding.UTF8.GetBytes(key, buffer)];
        foreach (ref readonly var entry in entries.AsSpan())
        {
            if (entry.Name.Length() == name.Length && entry.Name.StartsWith(name)) return entry.Value;
        }

        return null;
    }

    private static NotSupportedException NotNeeded() => new("No workload needs that.");
}
