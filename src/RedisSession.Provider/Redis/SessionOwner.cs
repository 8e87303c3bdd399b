using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Whose a session is, where that can be read when the session has expired, and which instance tells its end. To the primary only, as
/// <see cref="SessionHash"/>.
/// </summary>
/// <remarks>
/// Two keys: a session that begins anew under its old id while the end of the former is still being claimed writes the one, and must
/// neither undo the claim nor lose its user to it.
/// </remarks>
internal readonly struct SessionOwner(IDatabase database, string keyPrefix, string id)
{
    // So long an instance may take to hear of what the others have heard.
    private const long LongestClaim = 60_000;

    /// <summary>So many milliseconds an instance may take, however short sessions are, from the end of one until it asks about it.</summary>
    public const long LeastAfterwards = 10_000;

    /// <summary>
    /// Notes the user for as long as the session can live, and three quarters of that which it is given at each use, but at least ten
    /// seconds: it is used an eighth later at most before this is called again.
    /// </summary>
    public Task KeepAsync(string user, long timeToLive, SessionExpiry expiry) => Sending.Try(
        database,
        OwnerKey,
        (database, OwnerKey, user, time: TimeSpan.FromMilliseconds(timeToLive + Math.Max(expiry.Life * 3 / 4, LeastAfterwards))),
        static it => it.database.StringSetAsync(it.OwnerKey, it.user, it.time, flags: CommandFlags.DemandMaster));

    /// <summary>Nobody will ask any more.</summary>
    public Task ForgetAsync() => Sending.Try(
        database, OwnerKey, (database, OwnerKey), static it => it.database.KeyDeleteAsync(it.OwnerKey, CommandFlags.DemandMaster));

    /// <summary>The user; null when it was nobody's.</summary>
    public async Task<string?> ReadAsync() => await Sending.Try(
        database, OwnerKey, (database, OwnerKey), static it => it.database.StringGetAsync(it.OwnerKey, CommandFlags.DemandMaster))
        .ConfigureAwait(false);

    /// <summary>
    /// True for one of all who ask. A claim is over before another session that begins under this id right now could expire.
    /// </summary>
    public Task<bool> ClaimAsync(SessionExpiry expiry) => Sending.Try(
        database,
        ClaimKey,
        (database, ClaimKey, time: TimeSpan.FromMilliseconds(Math.Clamp(expiry.Life / 2, 1, LongestClaim))),
        static it => it.database.StringSetAsync(
            it.ClaimKey, RedisValue.EmptyString, it.time, When.NotExists, CommandFlags.DemandMaster),
        again: false);

    /// <summary>What expires under this id within so many milliseconds is no session: nobody tells it.</summary>
    public Task SilenceAsync(long milliseconds) => Sending.Try(
        database,
        ClaimKey,
        (database, ClaimKey, time: TimeSpan.FromMilliseconds(milliseconds)),
        static it => it.database.StringSetAsync(it.ClaimKey, RedisValue.EmptyString, it.time, flags: CommandFlags.DemandMaster));

    /// <summary>It is a session after all.</summary>
    public Task UnsilenceAsync() => Sending.Try(
        database, ClaimKey, (database, ClaimKey), static it => it.database.KeyDeleteAsync(it.ClaimKey, CommandFlags.DemandMaster));

    private RedisKey ClaimKey => SessionHashLayout.ClaimKeyOf(keyPrefix, id);

    private RedisKey OwnerKey => SessionHashLayout.OwnerKeyOf(keyPrefix, id);
}
