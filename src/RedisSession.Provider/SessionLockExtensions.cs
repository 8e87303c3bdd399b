using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// Exclusive access to a session: the requests that ask for it take turns, as all requests of a session did in classic ASP.NET. Use it if
/// several keys must change together. A counter is <c>IncrementAsync</c>, and one key is <c>UpdateJsonAsync</c>: neither needs a lock.
/// </summary>
/// <remarks>
/// Requests that do not ask for the lock are not held up: they read and write as ever. The lock is a lease that is extended while its
/// holder works; if the holder dies, the next request gets it within ten seconds. A holder that stood still for longer cannot overwrite
/// what its successor did: its writes are refused with <see cref="SessionLockLostException"/>.
/// </remarks>
public static class SessionLockExtensions
{
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Waits until no other request of this session holds its lock, and takes it. Inside, the synchronous API sees the session as it is
    /// now. One round trip where the lock is free; a session that does not exist yet begins.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="wait">How long to wait at most. Default: 30 seconds.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The lock. Dispose it to release it; otherwise it is released at the end of the request.</returns>
    /// <exception cref="SessionLockTimeoutException">Others held it for all of <paramref name="wait"/>.</exception>
    /// <exception cref="InvalidOperationException">
    /// The session is not one of <c>AddRedisHashSession</c>; or this request holds the lock already; or the session is new and the response
    /// has started, so that no cookie can be sent.
    /// </exception>
    /// <exception cref="SessionEndedException">The session has ended since this request first saw it.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static async Task<SessionLock> LockAsync(
        this ISession session, TimeSpan? wait = null, CancellationToken cancellationToken = default) =>
        await session.TryLockAsync(wait ?? DefaultWait, cancellationToken).ConfigureAwait(false)
        ?? throw new SessionLockTimeoutException(session.Id, wait ?? DefaultWait);

    /// <summary>The same, but null if others held the lock for all of <paramref name="wait"/>. By default it does not wait.</summary>
    /// <inheritdoc cref="LockAsync"/>
    public static Task<SessionLock?> TryLockAsync(
        this ISession session, TimeSpan? wait = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wait ?? TimeSpan.Zero, TimeSpan.Zero, nameof(wait));
        return RedisHashSession.Of(session).TryLockAsync(wait ?? TimeSpan.Zero, cancellationToken);
    }
}
