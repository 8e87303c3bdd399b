using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// A session that is this request's own for a moment: see <see cref="SessionLockExtensions.LockAsync"/>. Disposing it confirms what was
/// changed inside and gives the lock back, in one round trip.
/// </summary>
public sealed class SessionLock : IAsyncDisposable
{
    private readonly Func<Task> _release;

    internal SessionLock(Func<Task> release) => _release = release;

    /// <summary>Confirms what was changed, and gives the lock back: one round trip. The second time it does nothing.</summary>
    /// <exception cref="SessionLockLostException">
    /// The lock was not held by this request any more: its process stood still for longer than the lease, or the session has ended. What was
    /// changed and not confirmed before was not written.
    /// </exception>
    /// <exception cref="SessionEndedException">The session has ended; nothing was written.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time. The lock ends with its lease at the latest.</exception>
    public ValueTask DisposeAsync() => new(_release());
}
