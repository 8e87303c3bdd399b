using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The hash of one cache entry in Redis: the only code that sends commands about it. Every member but <see cref="RunAsync"/> sends at once
/// and returns the reply's own task, so that a caller who must block waits for the reply and for nothing else. As with sessions, everything
/// goes to the primary.
/// </summary>
/// <remarks>
/// <code>
/// key     {InstanceName}{key}
/// fields  absexp   the absolute expiration in ticks (100 ns since the year 1, UTC), or -1
///         sldexp   the sliding expiration in ticks, or -1
///         data     the value
/// TTL     the nearer of the two, in milliseconds; none when there is neither
/// </code>
/// </remarks>
internal readonly struct CacheEntry(IDatabase database, RedisKey key)
{
    public const string Absolute = "absexp";
    public const string Sliding = "sldexp";
    public const string Data = "data";

    // Lua hashes all of each text that it meets, which costs the server's only thread about 1 us for each KB. From here on five commands
    // cost it less than one script does. (Measured: at 500 bytes 80,000 sets a second against 60,000, at 20 KB 10,000 against 50,000.)
    private const int LargestForScript = 4 * 1024;

    public IDatabase Database => database;

    /// <summary>True while the connection to the server that holds this entry is up. Asks nobody: what the client knows.</summary>
    public bool IsConnected => database.IsConnected(key, CommandFlags.DemandMaster);

    public static bool IsForScript(ReadOnlyMemory<byte> data) => data.Length <= LargestForScript;

    /// <summary>One HGET.</summary>
    public Task<RedisValue> ReadAsync() =>
        Sending.Try(database, key, (database, key), static it => it.database.HashGetAsync(it.key, Data, CommandFlags.DemandMaster));

    /// <summary>The same into memory of a pool. Null when there is no such entry.</summary>
    public Task<Lease<byte>?> ReadPooledAsync() =>
        Sending.Try(database, key, (database, key), static it => it.database.HashGetLeaseAsync(it.key, Data, CommandFlags.DemandMaster));

    /// <summary>
    /// The entry with its TTL, in one step and one flight, in the place of what there is. False, or an error of the kind
    /// <see cref="RedisErrorKind.ExecAbort"/>, when nothing was done: on a cluster a transaction is not sent on to where the key has moved
    /// to, as a script is. The second task tells of the entry itself.
    /// </summary>
    public (Task<bool> Executed, Task<RedisResult> Written) WriteInTransaction(CacheExpiry expiry, ReadOnlyMemory<byte> data)
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

        return (transaction.ExecuteAsync(CommandFlags.DemandMaster), written);
    }

    public Task<bool> DeleteAsync() =>
        Sending.Try(database, key, (database, key), static it => it.database.KeyDeleteAsync(it.key, CommandFlags.DemandMaster));

    /// <summary>Sends a script by its hash.</summary>
    public Task<RedisResult> SendAsync(RedisScript script, RedisValue[] arguments) => script.SendAsync(database, key, arguments);

    /// <summary>The same by its text, for a server that does not have it.</summary>
    public Task<RedisResult> SendTextAsync(RedisScript script, RedisValue[] arguments) => script.SendTextAsync(database, key, arguments);

    /// <summary>One after the other, as it is needed.</summary>
    public Task<RedisResult> RunAsync(RedisScript script, RedisValue[] arguments) => script.RunAsync(database, key, arguments);
}
