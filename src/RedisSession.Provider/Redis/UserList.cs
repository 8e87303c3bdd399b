using System.Globalization;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// One user's session list in Redis. It may name sessions that have ended or now belong to another user, but never lacks a live one.
/// Primary only, like <see cref="SessionHash"/>.
/// </summary>
internal readonly struct UserList(IDatabase database, RedisKey key)
{
    /// <summary>
    /// Keeps the session listed for that many milliseconds from now; returns the entry's stamp, or null if it was there before.
    /// </summary>
    public async Task<string?> KeepAsync(string id, long time) =>
        (string?)await UserScripts.Keep.RunAsync(database, key, [id, time, RedisValue.EmptyString]).ConfigureAwait(false);

    /// <summary>The stamp of the session's entry; null when it is not in the list.</summary>
    public async Task<string?> StampOfAsync(string id) =>
        await Sending.Try(database, key, (database, key, id), static it =>
            it.database.SortedSetScoreAsync(it.key, it.id, CommandFlags.DemandMaster)).ConfigureAwait(false) is { } stamp
            ? stamp.ToString("F0", CultureInfo.InvariantCulture)
            : null;

    /// <summary>Removes the session, unless it has been kept again since it had this stamp.</summary>
    public Task ForgetAsync(string id, string stamp) => UserScripts.Keep.RunAsync(database, key, [id, 0, stamp]);

    /// <summary>The ids, soonest to expire first: one ZRANGE.</summary>
    public Task<RedisValue[]> ReadAsync() => Sending.Try(
        database, key, (database, key), static it => it.database.SortedSetRangeByRankAsync(it.key, flags: CommandFlags.DemandMaster));
}
