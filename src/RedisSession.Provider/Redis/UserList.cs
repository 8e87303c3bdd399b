using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The list of one user's sessions in Redis. It may name sessions that have ended, or belong to somebody else by now; it never lacks one
/// that lives. To the primary only, as <see cref="SessionHash"/>.
/// </summary>
internal readonly struct UserList(IDatabase database, RedisKey key)
{
    /// <summary>Has the session in the list for so many milliseconds from now.</summary>
    public Task KeepAsync(string id, long time) => UserScripts.Keep.RunAsync(database, key, [id, time]);

    /// <summary>Takes the session out.</summary>
    public Task ForgetAsync(string id) => UserScripts.Keep.RunAsync(database, key, [id, 0]);

    /// <summary>The ids, those that have the least to live first: one ZRANGE.</summary>
    public Task<RedisValue[]> ReadAsync() => database.SortedSetRangeByRankAsync(key, flags: CommandFlags.DemandMaster);
}
