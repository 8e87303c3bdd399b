namespace RedisSession.Provider;

/// <summary>
/// Knows when the code that awaits a task has run on from it. The end of a request waits for that, in case the application does not await
/// its writes: the server would start the next request, and the rest of this response would end up in the next.
/// </summary>
/// <remarks>
/// A waiter resumes inside the call that completes the task, and runs until its next wait. But if the task completes just as a wait begins,
/// the waiter goes to the thread pool, where it cannot be tracked. So the application must have returned first, to wait or to end; unless
/// it blocks.
/// </remarks>
internal sealed class Handover
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private Task _over = Task.CompletedTask;
    private int _thread;

    /// <summary>The same task, for the caller to await.</summary>
    public Task Of(Task task, RequestHolder? request)
    {
        if (task.IsCompleted) return task;
        var handed = new TaskCompletionSource();
        _over = HandOverAsync(task, request, handed, _over);
        return handed.Task;
    }

    /// <summary>At once if the resumed code calls this.</summary>
    public Task OverAsync() => _over.IsCompleted || _thread == Environment.CurrentManagedThreadId ? Task.CompletedTask : _over;

    private async Task HandOverAsync(Task task, RequestHolder? request, TaskCompletionSource handed, Task earlier)
    {
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (request is { IsCallingApplication: true }) SpinWait.SpinUntil(() => !request.IsCallingApplication, Patience);
        _thread = Environment.CurrentManagedThreadId;
        handed.SetFromTask(task);
        _thread = 0;
        await earlier.ConfigureAwait(false);
    }
}
