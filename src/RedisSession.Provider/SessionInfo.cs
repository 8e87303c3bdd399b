using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>What <see cref="IRedisSessionDirectory"/> returns for a session: its state when Redis was queried.</summary>
public sealed class SessionInfo
{
    /// <summary>The public id: <see cref="ISession.Id"/>. It is not the key in the cookie, which cannot be derived from it.</summary>
    public required string Id { get; init; }

    /// <summary>The user who owns the session; null if unknown.</summary>
    public string? User { get; init; }

    /// <summary>
    /// When the session began, by the clock of Redis. <see cref="DateTimeOffset.UnixEpoch"/> if the hash does not contain this: another
    /// program has created the hash, or removed the field.
    /// </summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>
    /// When the session ends unless it is used before then: the remaining time in Redis, added to the clock of this machine.
    /// <see cref="DateTimeOffset.MaxValue"/> if another program has removed its expiry.
    /// </summary>
    public DateTimeOffset Expires { get; init; }

    /// <summary>
    /// When a request last used the session, accurate to about a second. Calculated from its remaining time, assuming that it was kept
    /// alive for the <c>IdleTimeout</c> of this application. Null if this cannot be calculated: it has no expiry, or its absolute timeout
    /// determines its end.
    /// </summary>
    public DateTimeOffset? LastUsed { get; init; }

    /// <summary>
    /// Since when a request has held the session's lock (<c>LockAsync</c>), by the clock of Redis; null if it is not locked.
    /// </summary>
    public DateTimeOffset? LockedSince { get; init; }

    /// <summary>The number of keys that the application has set in the session.</summary>
    public long KeyCount { get; init; }

    /// <summary>
    /// The memory that the session uses in Redis, in bytes (<c>MEMORY USAGE</c>; an estimate if it has more than a hundred keys); null if
    /// the server does not report it.
    /// </summary>
    public long? SizeInBytes { get; init; }

    /// <summary>Reads the values; null if the directory did not create this instance.</summary>
    internal Func<CancellationToken, Task<IReadOnlyDictionary<string, SessionValue>>>? Read { get; init; }

    /// <summary>Reads the keys' own expiries; null if the directory did not create this instance.</summary>
    internal Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyDictionary<string, DateTimeOffset>>>? ReadExpiries { get; init; }

    /// <summary>
    /// Reads the session's current keys and values, decrypted if they are protected. One round trip. Empty if the session has ended. Does
    /// not renew the session. As elsewhere, reading a value never throws: the value of a missing key is a <see cref="SessionValue"/> whose
    /// <see cref="SessionValue.None"/> is true.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public Task<IReadOnlyDictionary<string, SessionValue>> GetValuesAsync(CancellationToken cancellationToken = default) =>
        Read?.Invoke(cancellationToken) ?? Task.FromResult<IReadOnlyDictionary<string, SessionValue>>(StoredValues.None);

    /// <summary>
    /// Reads which of these keys have an expiry of their own, as set with <c>expiresIn</c>, and when they expire, by the clock of Redis.
    /// One round trip. Empty if the server does not support such expiries. Does not renew the session.
    /// </summary>
    /// <param name="keys">Keys of the session, such as those of <see cref="GetValuesAsync"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentNullException"><paramref name="keys"/> is null.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public Task<IReadOnlyDictionary<string, DateTimeOffset>> GetKeyExpiriesAsync(
        IEnumerable<string> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        string[] all = [.. keys];
        return all.Length > 0 && ReadExpiries is { } read ? read(all, cancellationToken) : Task.FromResult(NoExpiries);
    }

    internal static IReadOnlyDictionary<string, DateTimeOffset> NoExpiries { get; } = new Dictionary<string, DateTimeOffset>().AsReadOnly();
}
