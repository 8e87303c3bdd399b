namespace RedisSession.Provider;

/// <summary>
/// Knows when what waits for a task has gone on from it. The end of a request asks that, where the application does not await what it
/// writes: the server would go on with the next request, and the rest of this response would be in that one's.
/// </summary>
/// <remarks>
/// Whoever waits goes on inside of the call that completes the task, until he has to wait for something else. But if it is completed just
/// when somebody begins to wait, he is sent to the thread pool, where nobody knows of him. So the application has to have returned, to wait
/// or to end; unless it blocks.
/// </remarks>
internal sealed class Handover
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private Task _over = Task.CompletedTask;
    private int _thread;

    /// <summary>The same task, for the caller to wait for.</summary>
    public Task Of(Task task, RequestHolder? request)
    {
        if (task.IsCompleted) return task;
        var handed = new TaskCompletionSource();
        _over = HandOverAsync(task, request, handed, _over);
        return handed.Task;
    }

    /// <summary>At once where this is called by what goes on.</summary>
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
