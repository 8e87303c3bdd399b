using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: sending a script about one entry, and waiting for the reply in both ways.</summary>
internal sealed partial class RedisHashCache
{
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

    private static RedisValue[] Now() => [DateTimeOffset.UtcNow.Ticks / TimeSpan.TicksPerMillisecond];

    private static RedisValue[] Entry(CacheExpiry expiry, PooledCopy data) =>
        [expiry.Absolute, expiry.Sliding, data.Memory, expiry.TimeToLive is { } milliseconds ? milliseconds : RedisValue.EmptyString];

    private static byte[]? BytesOf(RespResult reply) => reply.IsNull ? null : reply.ReadScalar().ReadByteArray();

    private static bool TryWrite(RespResult reply, IBufferWriter<byte> destination)
    {
        if (reply.IsNull) return false;
        reply.ReadScalar().CopyTo(destination);
        return true;
    }

    private RespResult Call(RedisScript script, RedisKey key, RedisValue[] arguments)
    {
        var database = Open();
        var timeout = TimeoutOf(database);
        try
        {
            return Wait(script.SendForBytesAsync(database, key, arguments), timeout);
        }
        catch (RedisServerException error) when (RedisScript.IsMissing(error))
        {
            return Wait(script.SendTextForBytesAsync(database, key, arguments), timeout);
        }
    }

    private async Task<RespResult> CallAsync(RedisScript script, RedisKey key, RedisValue[] arguments, CancellationToken token)
    {
        var database = await OpenAsync(token).ConfigureAwait(false);
        return await Bounded(script.RunForBytesAsync(database, key, arguments), token).ConfigureAwait(false);
    }

    private IDatabase Open()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var opening = connection.Connection.GetDatabaseAsync();

        // The client's own timeout bounds connecting.
        return opening.IsCompletedSuccessfully ? opening.Result : Blocking.Wait(opening.AsTask(), Timeout.InfiniteTimeSpan);
    }

    private ValueTask<IDatabase> OpenAsync(CancellationToken token)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        token.ThrowIfCancellationRequested();
        var opening = connection.Connection.GetDatabaseAsync();
        return opening.IsCompletedSuccessfully ? opening : new(Bounded(opening.AsTask(), token));
    }

    private static TimeSpan TimeoutOf(IDatabase database) => TimeSpan.FromMilliseconds(database.Multiplexer.TimeoutMilliseconds);

    private static T Wait<T>(Task<T> reply, TimeSpan timeout)
    {
        try
        {
            return Blocking.Wait(reply, timeout);
        }
        catch (TimeoutException error) when (error is not RedisTimeoutException) // that one is the client's own, and says it
        {
            Abandon(reply);
            throw new TimeoutException($"Redis did not answer within the client's syncTimeout of {timeout}.");
        }
    }

    /// <summary>The reply, for whoever waits no longer than the caller's patience. The client's own timeout ends a wait, too.</summary>
    private static async Task<T> Bounded<T>(Task<T> reply, CancellationToken token)
    {
        try
        {
            return await reply.WaitAsync(token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            Abandon(reply);
            throw;
        }
    }

    /// <summary>A reply that nobody waits for any more still comes, or fails: nothing of it may be left over.</summary>
    private static void Abandon<T>(Task<T> reply) => reply.ContinueWith(
        static late =>
        {
            if (late.IsCompletedSuccessfully) (late.Result as RespResult)?.Dispose();
            else _ = late.Exception;
        },
        TaskScheduler.Default);
}
