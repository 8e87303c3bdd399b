using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The hash of one cache entry in Redis, and how its caller waits: the only code that sends commands for it. As with sessions, every
/// command goes to the primary.
/// </summary>
/// <remarks>
/// <code>
/// key     {InstanceName}{key}
/// fields  absexp   the absolute expiration in ticks (100 ns since the year 1, UTC), or -1
///         sldexp   the sliding expiration in ticks, or -1
///         data     the value
/// TTL     the earlier of the two, in milliseconds; no TTL if neither is set
/// </code>
/// </remarks>
internal readonly struct CacheEntry(IDatabase database, RedisKey key, Waiting waiting)
{
    public const string Absolute = "absexp";
    public const string Sliding = "sldexp";
    public const string Data = "data";

    // Lua hashes every string in full, which costs the server's only thread about 1 us per KB. Above this size, five commands are
    // cheaper than one script. (Measured: at 500 bytes 80,000 sets a second against 60,000, at 20 KB 10,000 against 50,000.)
    private const int LargestForScript = 4 * 1024;

    /// <summary>An HGET and the renewal, in one round trip. Null if there is no such entry, or it has expired.</summary>
    public Task<RedisValue> ReadAsync() => AndRenewAsync(Sending.Try(
        database, key, (database, key), static it => it.database.HashGetAsync(it.key, Data, CommandFlags.DemandMaster)));

    /// <summary>The same, into pooled memory.</summary>
    public Task<Lease<byte>?> ReadPooledAsync() => AndRenewAsync(Sending.Try(
        database, key, (database, key), static it => it.database.HashGetLeaseAsync(it.key, Data, CommandFlags.DemandMaster)));

    /// <summary>Replaces the entry and its TTL, atomically and in one round trip.</summary>
    public Task WriteAsync(CacheExpiry expiry, ReadOnlyMemory<byte> data) =>
        data.Length > LargestForScript && database.IsConnected(key, CommandFlags.DemandMaster)
            ? WriteLargeAsync(expiry, data)
            : WriteByScriptAsync(expiry, data);

    /// <summary>Null if the entry had expired; it is then removed.</summary>
    public Task<RedisResult> RenewAsync() => CacheScripts.Renew.RunAsync(database, key, CacheScripts.Now(), waiting);

    public Task<bool> DeleteAsync() => waiting.ForAsync(Sending.Try(
        database, key, (database, key), static it => it.database.KeyDeleteAsync(it.key, CommandFlags.DemandMaster)));

    private async Task<T?> AndRenewAsync<T>(Task<T?> reading)
    {
        bool isThere = false;
        try
        {
            isThere = !(await RenewAsync().ConfigureAwait(false)).IsNull;
        }
        finally
        {
            if (!isThere) LateReply.Abandon(reading);
        }

        return isThere ? await waiting.ForAsync(reading).ConfigureAwait(false) : default;
    }

    private async Task<RedisResult> WriteLargeAsync(CacheExpiry expiry, ReadOnlyMemory<byte> data)
    {
        try
        {
            var (executed, written) = WriteInTransaction(expiry, data);
            if (await waiting.ForAsync(executed).ConfigureAwait(false)) return await waiting.ForAsync(written).ConfigureAwait(false);
        }
        catch (Exception error) when (Sending.IsNotNow(error)
            || error is RedisConnectionException or RedisServerException { Kind: RedisErrorKind.ExecAbort })
        {
            // Nothing was written, or the script writes the same again. It follows the key to its node, waits for it, or reports the error.
        }
        catch (RedisServerException error) when (error.Message.Contains("without MULTI", StringComparison.OrdinalIgnoreCase))
        {
            // The client does not wait for the reply to MULTI, and the server has executed each command on its own.
            throw new RedisServerException(
                RedisErrorKind.NoPermission,
                CommandFlags.None,
                "NOPERM Redis refused MULTI, which large values are set with: its user needs the right '+multi'. The value may be set all the "
                + "same, but was not set in one step.");
        }

        return await WriteByScriptAsync(expiry, data).ConfigureAwait(false);
    }

    private Task<RedisResult> WriteByScriptAsync(CacheExpiry expiry, ReadOnlyMemory<byte> data) =>
        CacheScripts.Write.RunAsync(database, key, CacheScripts.EntryOf(expiry, data), waiting);

    /// <summary>
    /// False, or an error of kind <see cref="RedisErrorKind.ExecAbort"/>, if nothing was done: on a cluster, a transaction is not
    /// redirected to where the key has moved to, as a script is. The second task is the result of writing the entry itself.
    /// </summary>
    private (Task<bool> Executed, Task<RedisResult> Written) WriteInTransaction(CacheExpiry expiry, ReadOnlyMemory<byte> data)
    {
        var transaction = database.CreateTransaction();
        _ = transaction.KeyDeleteAsync(key, CommandFlags.DemandMaster);
        var written = transaction.ExecuteAsync(
            "HSET",
            (object[])[key, Absolute, expiry.Absolute, Sliding, expiry.Sliding, Data, (RedisValue)data],
            CommandFlags.DemandMaster);
        if (expiry.TimeToLive is { } milliseconds)
        {
            _ = transaction.ExecuteAsync("PEXPIRE", (object[])[key, milliseconds], CommandFlags.DemandMaster);
        }

        return (transaction.ExecuteAsync(CommandFlags.DemandMaster), written.Observed());
    }
}
