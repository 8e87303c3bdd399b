using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>What <see cref="IRedisSessionDirectory"/> says of a session, as it was when Redis was asked.</summary>
public sealed class SessionInfo
{
    /// <summary>The public id: <see cref="ISession.Id"/>. Not the key in the cookie, to which there is no way back from it.</summary>
    public required string Id { get; init; }

    /// <summary>Whose session it is; null when that is not known.</summary>
    public string? User { get; init; }

    /// <summary>
    /// When it began, by the clock of Redis. <see cref="DateTimeOffset.UnixEpoch"/> when the hash does not say: another program has made
    /// it, or removed that.
    /// </summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>
    /// When it ends unless it is used before: by the clock of this machine, and what Redis says is left.
    /// <see cref="DateTimeOffset.MaxValue"/> when somebody else has taken its expiry off.
    /// </summary>
    public DateTimeOffset Expires { get; init; }

    /// <summary>
    /// When a request last used it, to a second or so: by what is left of its time, if it was kept alive for the <c>IdleTimeout</c> that
    /// this application has. Null when that does not tell: it has no expiry, or its absolute timeout ends it.
    /// </summary>
    public DateTimeOffset? LastUsed { get; init; }

    /// <summary>
    /// Since when a request has it to itself (<c>LockAsync</c>), by the clock of Redis; null when none has.
    /// </summary>
    public DateTimeOffset? LockedSince { get; init; }

    /// <summary>How many keys the application has set in it.</summary>
    public long KeyCount { get; init; }

    /// <summary>
    /// What it takes in the memory of Redis, in bytes (<c>MEMORY USAGE</c>; an estimate where it has more than a hundred keys); null when
    /// the server does not say.
    /// </summary>
    public long? SizeInBytes { get; init; }

    /// <summary>Asks for the values; null where this was not made by the directory.</summary>
    internal Func<CancellationToken, Task<IReadOnlyDictionary<string, SessionValue>>>? Read { get; init; }

    /// <summary>Asks for the keys' own expiries; null where this was not made by the directory.</summary>
    internal Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyDictionary<string, DateTimeOffset>>>? ReadExpiries { get; init; }

    /// <summary>
    /// Its keys with their values as they are now, decrypted where they are protected: one round trip. Empty when the session has ended.
    /// Does not renew it. Reading never throws here either: the value of a key that is not there is a <see cref="SessionValue"/> whose
    /// <see cref="SessionValue.None"/> is true.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public Task<IReadOnlyDictionary<string, SessionValue>> GetValuesAsync(CancellationToken cancellationToken = default) =>
        Read?.Invoke(cancellationToken) ?? Task.FromResult<IReadOnlyDictionary<string, SessionValue>>(StoredValues.None);

    /// <summary>
    /// Which of these keys expire by themselves, as those that were set with <c>expiresIn</c> do, and when, by the clock of Redis: one
    /// round trip. Empty where the server has no such expiries. Does not renew the session.
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
