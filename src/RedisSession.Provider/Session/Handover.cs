namespace RedisSession.Provider;

/// <summary>
/// A task that completes after another, and knows when the code that awaits it has run on from it. The end of a request waits for that, in
/// case the application does not await its writes: the server would start the next request, and the rest of this response would end up in
/// the next.
/// </summary>
/// <remarks>
/// A waiter resumes inside the call that completes the task, and runs until its next wait. But if the task completes just as a wait begins,
/// the waiter goes to the thread pool, where it cannot be tracked. So the application must have returned first, to wait or to end; unless
/// it blocks. One for each request that writes, so it is a single object.
/// </remarks>
internal sealed class Handover : TaskCompletionSource
{
    private const int PatienceMilliseconds = 1_000;
    private static readonly TaskCompletionSource Over = Completed();

    private readonly Task _task;
    private readonly RequestHolder? _request;
    private TaskCompletionSource? _over; // of whoever waits for it
    private int _thread;

    public Handover(Task task, RequestHolder? request)
    {
        (_task, _request) = (task, request);
        task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(HandOver);
    }

    /// <summary>At once if the resumed code calls this.</summary>
    public Task OverAsync()
    {
        if (_thread == Environment.CurrentManagedThreadId) return Task.CompletedTask;
        var over = Volatile.Read(ref _over) ?? new TaskCompletionSource();
        return (Interlocked.CompareExchange(ref _over, over, null) ?? over).Task;
    }

    private void HandOver()
    {
        var wait = default(SpinWait);
        long begun = Environment.TickCount64;
        while (_request is { IsCallingApplication: true } && Environment.TickCount64 - begun < PatienceMilliseconds) wait.SpinOnce();
        _thread = Environment.CurrentManagedThreadId;
        SetFromTask(_task);
        _thread = 0;
        Interlocked.Exchange(ref _over, Over)?.SetResult();
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
