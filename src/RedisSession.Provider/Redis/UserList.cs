using System.Globalization;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The list of one user's sessions in Redis. It may name sessions that have ended, or belong to somebody else by now; it never lacks one
/// that lives. To the primary only, as <see cref="SessionHash"/>.
/// </summary>
internal readonly struct UserList(IDatabase database, RedisKey key)
{
    /// <summary>Has the session in the list for so many milliseconds from now; answers the stamp of the entry, or null where it was there before.</summary>
    public async Task<string?> KeepAsync(string id, long time) =>
        (string?)await UserScripts.Keep.RunAsync(database, key, [id, time, RedisValue.EmptyString]).ConfigureAwait(false);

    /// <summary>The stamp of the session's entry; null when it is not in the list.</summary>
    public async Task<string?> StampOfAsync(string id) =>
        await Sending.Try(database, key, (database, key, id), static it =>
            it.database.SortedSetScoreAsync(it.key, it.id, CommandFlags.DemandMaster)).ConfigureAwait(false) is { } stamp
            ? stamp.ToString("F0", CultureInfo.InvariantCulture)
            : null;

    /// <summary>Takes the session out, unless somebody has kept it since it had this stamp.</summary>
    public Task ForgetAsync(string id, string stamp) => UserScripts.Keep.RunAsync(database, key, [id, 0, stamp]);

    /// <summary>The ids, those that have the least to live first: one ZRANGE.</summary>
    public Task<RedisValue[]> ReadAsync() => Sending.Try(
        database, key, (database, key), static it => it.database.SortedSetRangeByRankAsync(it.key, flags: CommandFlags.DemandMaster));
}
