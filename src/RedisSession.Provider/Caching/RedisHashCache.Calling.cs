using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: the calls that need more than one command, and waiting, each in both ways.</summary>
internal sealed partial class RedisHashCache
{
    /// <summary>
    /// Reads an entry and renews it, in one flight. What <paramref name="read"/> gives when there is nothing, where the entry is past its
    /// end.
    /// </summary>
    private static T? ReadAndRenew<T>(CacheEntry entry, Func<CacheEntry, Task<T>> read)
    {
        var reading = read(entry);
        bool isThere = false;
        try
        {
            isThere = !Run(entry, CacheScripts.Renew, CacheScripts.Now()).IsNull;
        }
        finally
        {
            if (!isThere) Abandon(reading);
        }

        return isThere ? Wait(reading, entry.Database) : default;
    }

    private static async Task<T?> ReadAndRenewAsync<T>(CacheEntry entry, Func<CacheEntry, Task<T>> read, CancellationToken token)
    {
        var reading = read(entry);
        var renewal = entry.RunAsync(CacheScripts.Renew, CacheScripts.Now());
        bool isThere = false;
        try
        {
            isThere = !(await Bounded(renewal, token).ConfigureAwait(false)).IsNull;
        }
        finally
        {
            if (!isThere) Abandon(reading);
        }

        return isThere ? await Bounded(reading, token).ConfigureAwait(false) : default;
    }

    private static void Write(CacheEntry entry, CacheExpiry expiry, ReadOnlyMemory<byte> data)
    {
        if (!CacheEntry.IsForScript(data) && entry.IsConnected)
        {
            try
            {
                var (executed, written) = entry.WriteInTransaction(expiry, data);
                if (Wait(executed, entry.Database))
                {
                    Wait(written, entry.Database);
                    return;
                }
            }
            catch (Exception error) when (IsForScript(error))
            {
                // Nothing was done, or the same will be. The script is sent on to where the key is, waits for it, or says what is wrong.
            }
        }

        Run(entry, CacheScripts.Write, CacheScripts.EntryOf(expiry, data));
    }

    private static async Task WriteAsync(CacheEntry entry, CacheExpiry expiry, ReadOnlyMemory<byte> data)
    {
        if (!CacheEntry.IsForScript(data) && entry.IsConnected)
        {
            try
            {
                var (executed, written) = entry.WriteInTransaction(expiry, data);
                if (await executed.ConfigureAwait(false))
                {
                    await written.ConfigureAwait(false);
                    return;
                }
            }
            catch (Exception error) when (IsForScript(error))
            {
                // As in Write.
            }
        }

        await entry.RunAsync(CacheScripts.Write, CacheScripts.EntryOf(expiry, data)).ConfigureAwait(false);
    }

    private static bool IsForScript(Exception error) =>
        error is RedisConnectionException or RedisServerException { Kind: RedisErrorKind.ExecAbort };

    private static RedisResult Run(CacheEntry entry, RedisScript script, RedisValue[] arguments)
    {
        try
        {
            return Wait(entry.SendAsync(script, arguments), entry.Database);
        }
        catch (RedisServerException error) when (RedisScript.IsMissing(error))
        {
            return Wait(entry.SendTextAsync(script, arguments), entry.Database);
        }
    }

    private CacheEntry Open(RedisKey key)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var opening = connection.Connection.GetDatabaseAsync();

        // The client's own timeout bounds connecting.
        var database = opening.IsCompletedSuccessfully ? opening.Result : Blocking.Wait(opening.AsTask(), Timeout.InfiniteTimeSpan);
        return new(database, key);
    }

    private async ValueTask<CacheEntry> OpenAsync(RedisKey key, CancellationToken token)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        token.ThrowIfCancellationRequested();
        var opening = connection.Connection.GetDatabaseAsync();
        return new(opening.IsCompletedSuccessfully ? opening.Result : await Bounded(opening.AsTask(), token).ConfigureAwait(false), key);
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
        await Bounded((Task)reply, token).ConfigureAwait(false);
        return await reply.ConfigureAwait(false);
    }

    private static async Task Bounded(Task reply, CancellationToken token)
    {
        try
        {
            await reply.WaitAsync(token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            Abandon(reply);
            throw;
        }
    }

    /// <summary>A reply that nobody waits for any more still comes, or fails: nothing of it may be left over.</summary>
    private static void Abandon(Task reply) => reply.ContinueWith(
        static late =>
        {
            if (late is Task<Lease<byte>?> { IsCompletedSuccessfully: true } pooled) pooled.Result?.Dispose();
            _ = late.Exception;
        },
        TaskScheduler.Default);
}
