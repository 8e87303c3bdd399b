using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// The session lock that this request holds: see <see cref="SessionLockExtensions.LockAsync"/>. Disposing it confirms the changes and
/// releases the lock, in one round trip.
/// </summary>
public sealed class SessionLock : IAsyncDisposable
{
    private readonly Func<Task> _release;

    internal SessionLock(Func<Task> release) => _release = release;

    /// <summary>Confirms the changes and releases the lock: one round trip. Further calls do nothing.</summary>
    /// <exception cref="SessionLockLostException">
    /// This request no longer held the lock: its process was suspended for longer than the lease, or the session has ended. Changes that
    /// had not been confirmed before were not written.
    /// </exception>
    /// <exception cref="SessionEndedException">The session has ended; nothing was written.</exception>
    /// <exception cref="OperationCanceledException">
    /// Redis did not answer in time. The lock is released when its lease expires, at the latest.
    /// </exception>
    public ValueTask DisposeAsync() => new(_release());
}
