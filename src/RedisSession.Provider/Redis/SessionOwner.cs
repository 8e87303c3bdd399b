using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// A session's owner, readable after the session has expired, and which instance reports its end. Primary only, like
/// <see cref="SessionHash"/>.
/// </summary>
/// <remarks>
/// Two keys: a session that restarts under its old id while the end of the former is still being claimed writes the owner, and must neither
/// undo the claim nor lose its user to it.
/// </remarks>
internal readonly struct SessionOwner(IDatabase database, string keyPrefix, string id)
{
    // How long an instance may take to hear what the others have heard.
    private const long LongestClaim = 60_000;

    /// <summary>How many milliseconds an instance may take, however short sessions are, to ask about one that has ended.</summary>
    public const long LeastAfterwards = 10_000;

    /// <summary>
    /// Stores the user for as long as the session can live, plus three quarters of what each use grants, but at least ten seconds: it may
    /// be used for another eighth before this is called again.
    /// </summary>
    public Task KeepAsync(string user, long timeToLive, SessionExpiry expiry) => Sending.Try(
        database,
        OwnerKey,
        (database, OwnerKey, user, time: TimeSpan.FromMilliseconds(timeToLive + Math.Max(expiry.Life * 3 / 4, LeastAfterwards))),
        static it => it.database.StringSetAsync(it.OwnerKey, it.user, it.time, flags: CommandFlags.DemandMaster));

    /// <summary>The owner is no longer needed.</summary>
    public Task ForgetAsync() => Sending.Try(
        database, OwnerKey, (database, OwnerKey), static it => it.database.KeyDeleteAsync(it.OwnerKey, CommandFlags.DemandMaster));

    /// <summary>The user; null if there was none.</summary>
    public async Task<string?> ReadAsync() => await Sending.Try(
        database, OwnerKey, (database, OwnerKey), static it => it.database.StringGetAsync(it.OwnerKey, CommandFlags.DemandMaster))
        .ConfigureAwait(false);

    /// <summary>True for only one caller. A claim ends before another session that begins under this id right now could expire.</summary>
    public Task<bool> ClaimAsync(SessionExpiry expiry) => Sending.Try(
        database,
        ClaimKey,
        (database, ClaimKey, time: TimeSpan.FromMilliseconds(Math.Clamp(expiry.Life / 2, 1, LongestClaim))),
        static it => it.database.StringSetAsync(
            it.ClaimKey, RedisValue.EmptyString, it.time, When.NotExists, CommandFlags.DemandMaster),
        again: false);

    /// <summary>What expires under this id within that many milliseconds is not a session: do not report it.</summary>
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
