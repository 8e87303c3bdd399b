using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: what is sent about one entry, and waiting for the reply in both ways.</summary>
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

    private static bool TryWrite(Lease<byte>? data, IBufferWriter<byte> destination)
    {
        if (data is null) return false;
        destination.Write(data.Span);
        return true;
    }

    private RedisResult Call(RedisScript script, RedisKey key, RedisValue[] arguments) => Call(Open(), script, key, arguments);

    private static RedisResult Call(IDatabase database, RedisScript script, RedisKey key, RedisValue[] arguments)
    {
        try
        {
            return Wait(script.SendAsync(database, key, arguments), database);
        }
        catch (RedisServerException error) when (RedisScript.IsMissing(error))
        {
            return Wait(script.SendTextAsync(database, key, arguments), database);
        }
    }

    private async Task<RedisResult> CallAsync(RedisScript script, RedisKey key, RedisValue[] arguments, CancellationToken token)
    {
        var database = await OpenAsync(token).ConfigureAwait(false);
        return await Bounded(script.RunAsync(database, key, arguments), token).ConfigureAwait(false);
    }

    /// <summary>
    /// The data in memory of a pool, which a script's reply cannot be in; and the renewal, in the same flight. Null when there is no
    /// such entry.
    /// </summary>
    private Lease<byte>? ReadAndRenew(RedisKey key)
    {
        var database = Open();
        var reading = database.HashGetLeaseAsync(key, CacheScripts.Data, CommandFlags.DemandMaster);
        bool isThere = false;
        try
        {
            isThere = !Call(database, CacheScripts.Refresh, key, Now()).IsNull;
        }
        finally
        {
            if (!isThere) Abandon(reading);
        }

        return isThere ? Wait(reading, database) : null;
    }

    /// <inheritdoc cref="ReadAndRenew"/>
    private async Task<Lease<byte>?> ReadAndRenewAsync(RedisKey key, CancellationToken token)
    {
        var database = await OpenAsync(token).ConfigureAwait(false);
        var reading = database.HashGetLeaseAsync(key, CacheScripts.Data, CommandFlags.DemandMaster);
        var renewal = CacheScripts.Refresh.RunAsync(database, key, Now());
        bool isThere = false;
        try
        {
            isThere = !(await Bounded(renewal, token).ConfigureAwait(false)).IsNull;
        }
        finally
        {
            if (!isThere) Abandon(reading);
        }

        return isThere ? await Bounded(reading, token).ConfigureAwait(false) : null;
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

    private static T Wait<T>(Task<T> reply, IDatabase database)
    {
        var timeout = TimeSpan.FromMilliseconds(database.Multiplexer.TimeoutMilliseconds);
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
            if (late.IsCompletedSuccessfully) (late.Result as Lease<byte>)?.Dispose();
            else _ = late.Exception;
        },
        TaskScheduler.Default);
}
