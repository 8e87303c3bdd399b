using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The lock of a session that a request holds: while it does, each of its writes carries the token.</summary>
/// <param name="queueId">The id the request waited under: a renewal changes the session's id.</param>
/// <param name="lease">How long the request keeps the lock if it is not heard from again.</param>
internal sealed class HeldLock(string queueId, TimeSpan lease) : IDisposable
{
    private readonly PeriodicTimer _timer = new(lease / 3);
    private readonly TaskCompletionSource _released = new();
    private bool _isReleaseSent;

    public string QueueId => queueId;

    /// <summary>Tells this holder from every other.</summary>
    public string Token { get; } = SessionGeneration.Create();

    /// <summary>The next batch releases the lock.</summary>
    public bool IsBeingReleased { get; set; }

    /// <summary>
    /// Not null while the lock is being released: from sending the release until its reply. What another task of the request changes
    /// meanwhile waits for it. With the token, Redis would refuse the change; without it, nothing would refuse it if the lock was lost.
    /// </summary>
    public Task? Release => _isReleaseSent && !_released.Task.IsCompleted ? _released.Task : null;

    /// <summary>The lock is released when the response starts.</summary>
    public bool EndsWithResponse { get; set; }

    /// <summary>A script that does the same as <paramref name="script"/> if the lock is still held, and its arguments.</summary>
    public (RedisScript Script, RedisValue[] Arguments) Guard(RedisScript script, RedisValue[] arguments, RedisValue channel)
    {
        if (!IsBeingReleased) return (script.Fenced, [.. arguments, Token]);
        _isReleaseSent = true;
        return (script.Releasing, [.. arguments, channel, Token]);
    }

    /// <summary>Releases the lock on its own, as there is nothing to write.</summary>
    public Task<RedisResult> ReleaseAsync(IDatabase database, RedisKey key, RedisValue channel)
    {
        IsBeingReleased = _isReleaseSent = true;
        return LockScripts.Release.RunAsync(database, key, [channel, Token]);
    }

    /// <summary>The lock was released, or could not be.</summary>
    public void EndRelease() => _released.TrySetResult();

    /// <summary>Extends the lease as often as needed, until this is disposed or the lock is lost.</summary>
    public async Task KeepAsync(Func<Task> extendAsync)
    {
        while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
        {
            try
            {
                await extendAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (error is RedisException or TimeoutException && !LockScripts.IsLost(error))
            {
                // No connection, or a slow server: the next tick tries again, and the lease bounds that.
            }
        }
    }

    /// <summary>Stops extending the lease.</summary>
    public void Dispose() => _timer.Dispose();
}
