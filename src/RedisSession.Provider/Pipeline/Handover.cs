namespace RedisSession.Provider;

/// <summary>
/// Knows when what waits for a task has gone on from it. The end of a request asks that, where the application does not await what it writes:
/// the server would go on with the next request, and the rest of this response would be in that one's.
/// </summary>
/// <remarks>
/// Whoever waits goes on inside of the call that completes the task, unless it is completed just when he begins to wait: then he would be sent
/// to the thread pool, where nobody knows of him. As the context that he captures, this has him go on at once there, too.
/// </remarks>
internal sealed class Handover : SynchronizationContext
{
    private Task _over = Task.CompletedTask;
    private int _thread;

    /// <summary>The same task, for the caller to wait for.</summary>
    public Task Of(Task task)
    {
        if (task.IsCompleted) return task;
        var handed = new TaskCompletionSource();
        _over = HandOverAsync(_over);
        SetSynchronizationContext(this); // until the asynchronous method that calls returns
        return handed.Task;

        async Task HandOverAsync(Task earlier)
        {
            await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _thread = Environment.CurrentManagedThreadId;
            handed.SetFromTask(task);
            _thread = 0;
            await earlier.ConfigureAwait(false);
        }
    }

    /// <summary>At once where this is called by what goes on.</summary>
    public Task OverAsync() => _over.IsCompleted || _thread == Environment.CurrentManagedThreadId ? Task.CompletedTask : _over;

    public override void Post(SendOrPostCallback d, object? state) => d(state);
}
