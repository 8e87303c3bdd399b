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
    /// When it began, by the clock of Redis. <see cref="DateTimeOffset.UnixEpoch"/> when somebody else has removed that from the hash.
    /// </summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>
    /// When it ends unless it is used before: by the clock of this machine, and what Redis says is left.
    /// <see cref="DateTimeOffset.MaxValue"/> when somebody else has taken its expiry off.
    /// </summary>
    public DateTimeOffset Expires { get; init; }

    /// <summary>How many keys the application has set in it.</summary>
    public long KeyCount { get; init; }

    /// <summary>
    /// What it takes in the memory of Redis, in bytes (<c>MEMORY USAGE</c>; an estimate where it has more than a hundred keys); null when
    /// the server does not say.
    /// </summary>
    public long? SizeInBytes { get; init; }

    /// <summary>Asks for the values; null where this was not made by the directory.</summary>
    internal Func<CancellationToken, Task<IReadOnlyDictionary<string, SessionValue>>>? Read { get; init; }

    /// <summary>
    /// Its keys with their values as they are now, decrypted where they are protected: one round trip. Empty when the session has ended.
    /// Does not renew it.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public Task<IReadOnlyDictionary<string, SessionValue>> GetValuesAsync(CancellationToken cancellationToken = default) =>
        Read?.Invoke(cancellationToken) ?? Task.FromResult(None);

    internal static IReadOnlyDictionary<string, SessionValue> None { get; } = new Dictionary<string, SessionValue>().AsReadOnly();
}
