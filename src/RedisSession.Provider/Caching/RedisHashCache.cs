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
/// absolute expiration is kept in UTC whatever its offset; what is past it is not given out once more by the get that removes it.
/// </para>
/// </remarks>
internal sealed partial class RedisHashCache(RedisHashCacheConnection connection, IOptions<RedisHashCacheOptions> options)
    : IBufferDistributedCache, IDisposable, IAsyncDisposable
{
    private readonly RedisKey _keyStart = options.Value.InstanceName;
    private volatile bool _disposed;

    public byte[]? Get(string key) => ReadAndRenew(Open(KeyOf(key)), static one => one.ReadAsync());

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        var entry = await OpenAsync(KeyOf(key), token).ConfigureAwait(false);
        return await ReadAndRenewAsync(entry, static one => one.ReadAsync(), token).ConfigureAwait(false);
    }

    public bool TryGet(string key, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var data = ReadAndRenew(Open(KeyOf(key)), static one => one.ReadPooledAsync());
        return TryWrite(data, destination);
    }

    public async ValueTask<bool> TryGetAsync(string key, IBufferWriter<byte> destination, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        var entry = await OpenAsync(KeyOf(key), token).ConfigureAwait(false);
        using var data = await ReadAndRenewAsync(entry, static one => one.ReadPooledAsync(), token).ConfigureAwait(false);
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
        var entry = Open(redisKey);
        var copy = PooledCopy.Of(value);
        Write(entry, expiry, copy.Memory);
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
        var entry = await OpenAsync(redisKey, token).ConfigureAwait(false);
        var copy = PooledCopy.Of(value);
        await Bounded(WriteAsync(entry, expiry, copy.Memory), token).ConfigureAwait(false);
        copy.Return();
    }

    public void Refresh(string key) => Run(Open(KeyOf(key)), CacheScripts.Renew, CacheScripts.Now());

    public async Task RefreshAsync(string key, CancellationToken token = default)
    {
        var entry = await OpenAsync(KeyOf(key), token).ConfigureAwait(false);
        await Bounded(entry.RunAsync(CacheScripts.Renew, CacheScripts.Now()), token).ConfigureAwait(false);
    }

    public void Remove(string key)
    {
        var entry = Open(KeyOf(key));
        Wait(entry.DeleteAsync(), entry.Database);
    }

    public async Task RemoveAsync(string key, CancellationToken token = default)
    {
        var entry = await OpenAsync(KeyOf(key), token).ConfigureAwait(false);
        await Bounded(entry.DeleteAsync(), token).ConfigureAwait(false);
    }

    /// <summary>Closes a connection that was opened for the cache alone. No other is touched.</summary>
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

    private static bool TryWrite(Lease<byte>? data, IBufferWriter<byte> destination)
    {
        if (data is null) return false;
        destination.Write(data.Span);
        return true;
    }
}
