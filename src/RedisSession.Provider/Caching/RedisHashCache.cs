using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// A distributed cache over the same Redis hashes as RedisCache (Microsoft.Extensions.Caching.StackExchangeRedis).
/// </summary>
/// <remarks>
/// <para>
/// An entry without an expiration has no TTL in Redis and stays until it is removed. One with an absolute expiration, given as a time or
/// relative to now, has a TTL up to then. One with a sliding expiration has that as its TTL, and each get and each refresh renews it. One
/// with both has the shorter of the sliding expiration and the time left until the absolute one, at the set and at each renewal: a get
/// never moves the absolute expiration. "Now" is the application's clock. A set replaces the entry with all its expirations.
/// </para>
/// <para>
/// These are RedisCache's rules, with these differences: the TTL is set atomically with the entry and not after it, and is in
/// milliseconds, where RedisCache truncates to seconds; a set without expiration removes the TTL of the previous entry; an absolute
/// expiration is stored in UTC whatever its offset; the get that removes an expired entry does not return it.
/// </para>
/// </remarks>
internal sealed class RedisHashCache(RedisHashCacheConnection connection, IOptions<RedisHashCacheOptions> options)
    : IBufferDistributedCache, IDisposable, IAsyncDisposable
{
    // For connecting, which the client's own timeout limits. For replies, see EntryOf.
    private static readonly Waiting Blocking = Waiting.Blocking(Timeout.InfiniteTimeSpan);

    private readonly RedisKey _keyStart = options.Value.InstanceName;
    private volatile bool _disposed;

    public byte[]? Get(string key) => Waiting.Ended(GetAsync(key, Blocking));

    public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => GetAsync(key, Awaiting(token));

    public bool TryGet(string key, IBufferWriter<byte> destination) => Waiting.Ended(TryGetAsync(key, destination, Blocking));

    public ValueTask<bool> TryGetAsync(string key, IBufferWriter<byte> destination, CancellationToken token = default) =>
        new(TryGetAsync(key, destination, Awaiting(token)));

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        ArgumentNullException.ThrowIfNull(value);
        Set(key, new ReadOnlySequence<byte>(value), options);
    }

    public void Set(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options) =>
        Waiting.Ended(SetAsync(key, value, options, Blocking));

    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(value);
        return SetAsync(key, new ReadOnlySequence<byte>(value), options, Awaiting(token));
    }

    public ValueTask SetAsync(
        string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options, CancellationToken token = default) =>
        new(SetAsync(key, value, options, Awaiting(token)));

    public void Refresh(string key) => Waiting.Ended(RefreshAsync(key, Blocking));

    public Task RefreshAsync(string key, CancellationToken token = default) => RefreshAsync(key, Awaiting(token));

    public void Remove(string key) => Waiting.Ended(RemoveAsync(key, Blocking));

    public Task RemoveAsync(string key, CancellationToken token = default) => RemoveAsync(key, Awaiting(token));

    /// <summary>Closes the connection if it was opened for the cache alone.</summary>
    public void Dispose()
    {
        _disposed = true;
        connection.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return connection.DisposeAsync();
    }

    private async Task<byte[]?> GetAsync(string key, Waiting waiting)
    {
        var redisKey = KeyOf(key);
        var database = await OpenAsync(waiting).ConfigureAwait(false);
        return await EntryOf(database, redisKey, waiting).ReadAsync().ConfigureAwait(false);
    }

    private async Task<bool> TryGetAsync(string key, IBufferWriter<byte> destination, Waiting waiting)
    {
        ArgumentNullException.ThrowIfNull(destination);
        var redisKey = KeyOf(key);
        var database = await OpenAsync(waiting).ConfigureAwait(false);
        using var data = await EntryOf(database, redisKey, waiting).ReadPooledAsync().ConfigureAwait(false);
        if (data is null) return false;
        destination.Write(data.Span);
        return true;
    }

    private async Task SetAsync(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options, Waiting waiting)
    {
        var (redisKey, expiry) = (KeyOf(key), ExpiryOf(options));
        var database = await OpenAsync(waiting).ConfigureAwait(false);
        var copy = PooledCopy.Of(value);
        await EntryOf(database, redisKey, waiting).WriteAsync(expiry, copy.Memory).ConfigureAwait(false);
        copy.Return();
    }

    private async Task RefreshAsync(string key, Waiting waiting)
    {
        var redisKey = KeyOf(key);
        var database = await OpenAsync(waiting).ConfigureAwait(false);
        await EntryOf(database, redisKey, waiting).RenewAsync().ConfigureAwait(false);
    }

    private async Task RemoveAsync(string key, Waiting waiting)
    {
        var redisKey = KeyOf(key);
        var database = await OpenAsync(waiting).ConfigureAwait(false);
        await EntryOf(database, redisKey, waiting).DeleteAsync().ConfigureAwait(false);
    }

    // The client's own timeout ends the wait.
    private static Waiting Awaiting(CancellationToken token) => Waiting.Within(Timeout.InfiniteTimeSpan, token);

    private ValueTask<IDatabase> OpenAsync(Waiting waiting)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        waiting.ThrowIfCancelled();
        var opening = connection.Connection.GetDatabaseAsync();
        return opening.IsCompletedSuccessfully ? opening : new(waiting.ForAsync(opening.AsTask()));
    }

    private static CacheEntry EntryOf(IDatabase database, RedisKey key, Waiting waiting) =>
        new(database, key, waiting.Blocks ? Waiting.Blocking(SyncTimeoutOf(database), Waiting.Setting.ClientSyncTimeout) : waiting);

    private static TimeSpan SyncTimeoutOf(IDatabase database) => TimeSpan.FromMilliseconds(database.Multiplexer.TimeoutMilliseconds);

    private RedisKey KeyOf(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return _keyStart.Append(key);
    }

    private static CacheExpiry ExpiryOf(DistributedCacheEntryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return CacheExpiry.From(options, DateTimeOffset.UtcNow);
    }
}
