using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// A distributed cache over Redis hashes that are those of RedisCache (Microsoft.Extensions.Caching.StackExchangeRedis).
/// </summary>
/// <remarks>
/// <para>
/// An entry without an expiration has no TTL in Redis and stays until it is removed. One with an absolute expiration, be it said as a time
/// or from now, has a TTL up to then. One with a sliding expiration has that as its TTL, and each get and each refresh gives it that
/// again. One with both has the shorter of the sliding expiration and what is left until the absolute one, at the set and at each renewal:
/// a get never moves the absolute end. "Now" is the application's clock. A set replaces the entry with all its expirations.
/// </para>
/// <para>
/// These are RedisCache's rules. What is not as there: the TTL is set in the same step as the entry and not after it, and counts
/// milliseconds, where there what is left of a second is cut off; a set without expiration ends the TTL of the entry before it; an
/// absolute expiration is kept in UTC whatever its offset.
/// </para>
/// </remarks>
internal sealed partial class RedisHashCache(RedisHashCacheConnection connection, IOptions<RedisHashCacheOptions> options)
    : IBufferDistributedCache, IDisposable
{
    private readonly RedisKey _keyStart = options.Value.InstanceName;
    private volatile bool _disposed;

    public byte[]? Get(string key) => (byte[]?)Call(CacheScripts.Get, KeyOf(key), Now());

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default) =>
        (byte[]?)await CallAsync(CacheScripts.Get, KeyOf(key), Now(), token).ConfigureAwait(false);

    public bool TryGet(string key, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var data = ReadAndRenew(KeyOf(key));
        return TryWrite(data, destination);
    }

    public async ValueTask<bool> TryGetAsync(string key, IBufferWriter<byte> destination, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var data = await ReadAndRenewAsync(KeyOf(key), token).ConfigureAwait(false);
        return TryWrite(data, destination);
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        ArgumentNullException.ThrowIfNull(value);
        Set(key, new ReadOnlySequence<byte>(value), options);
    }

    public void Set(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options)
    {
        var (redisKey, expiry) = (KeyOf(key), ExpiryOf(options));
        var copy = PooledCopy.Of(value);
        Call(CacheScripts.Set, redisKey, Entry(expiry, copy));
        copy.Return();
    }

    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(value);
        return SetAsync(key, new ReadOnlySequence<byte>(value), options, token).AsTask();
    }

    public async ValueTask SetAsync(
        string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        var (redisKey, expiry) = (KeyOf(key), ExpiryOf(options));
        token.ThrowIfCancellationRequested();
        var copy = PooledCopy.Of(value);
        await CallAsync(CacheScripts.Set, redisKey, Entry(expiry, copy), token).ConfigureAwait(false);
        copy.Return();
    }

    public void Refresh(string key) => Call(CacheScripts.Refresh, KeyOf(key), Now());

    public async Task RefreshAsync(string key, CancellationToken token = default) =>
        await CallAsync(CacheScripts.Refresh, KeyOf(key), Now(), token).ConfigureAwait(false);

    public void Remove(string key)
    {
        var redisKey = KeyOf(key);
        var database = Open();
        Wait(database.KeyDeleteAsync(redisKey, CommandFlags.DemandMaster), database);
    }

    public async Task RemoveAsync(string key, CancellationToken token = default)
    {
        var redisKey = KeyOf(key);
        var database = await OpenAsync(token).ConfigureAwait(false);
        await Bounded(database.KeyDeleteAsync(redisKey, CommandFlags.DemandMaster), token).ConfigureAwait(false);
    }

    /// <summary>Closes a connection that was opened for the cache alone. No other is touched.</summary>
    public void Dispose()
    {
        _disposed = true;
        connection.Dispose();
    }
}
