using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// Exclusive access to a session: requests that ask for it take turns, as all requests of a session did in classic ASP.NET. Use it if
/// several keys must change together. Neither a counter (<c>IncrementAsync</c>) nor a change to one key (<c>UpdateJsonAsync</c>) needs a
/// lock.
/// </summary>
/// <remarks>
/// Requests that do not ask for the lock are not delayed: they read and write as usual. The lock is a lease that is extended while its
/// holder works; if the holder dies, the next request gets the lock within ten seconds. A holder that was suspended for longer cannot
/// overwrite the changes of its successor: its writes are refused with <see cref="SessionLockLostException"/>.
/// </remarks>
public static class SessionLockExtensions
{
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Waits until no other request of this session holds its lock, and acquires it. While the lock is held, the synchronous API sees the
    /// current state of the session. One round trip if the lock is free. If the session does not exist yet, it is created.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="wait">The maximum time to wait. Default: 30 seconds.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The lock. Dispose it to release it; otherwise it is released at the end of the request.</returns>
    /// <exception cref="SessionLockTimeoutException">Other requests held the lock for all of <paramref name="wait"/>.</exception>
    /// <exception cref="InvalidOperationException">
    /// The session is not managed by <c>AddRedisHashSession</c>; or this request already holds the lock; or the session is new and the
    /// response has started, so that no cookie can be sent.
    /// </exception>
    /// <exception cref="SessionEndedException">The session has ended since this request first accessed it.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static async Task<SessionLock> LockAsync(
        this ISession session, TimeSpan? wait = null, CancellationToken cancellationToken = default) =>
        await session.TryLockAsync(wait ?? DefaultWait, cancellationToken).ConfigureAwait(false)
        ?? throw new SessionLockTimeoutException(session.Id, wait ?? DefaultWait);

    /// <summary>
    /// Like <see cref="LockAsync"/>, but returns null if other requests held the lock for all of <paramref name="wait"/>. By default, it
    /// does not wait.
    /// </summary>
    /// <inheritdoc cref="LockAsync"/>
    public static Task<SessionLock?> TryLockAsync(
        this ISession session, TimeSpan? wait = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wait ?? TimeSpan.Zero, TimeSpan.Zero, nameof(wait));
        return RedisHashSession.Of(session).TryLockAsync(wait ?? TimeSpan.Zero, cancellationToken);
    }
}
