namespace RedisSession.Provider;

/// <summary>
/// Runs a task's continuation on the thread that completes the task, even if the task asks for another: the client's tasks ask for the
/// thread pool, which may have no thread left when all of them wait for these very tasks. For a few instructions that never wait.
/// </summary>
internal sealed class InlineScheduler : TaskScheduler
{
    public static readonly InlineScheduler Instance = new();

    protected override void QueueTask(Task task) => TryExecuteTask(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => [];
}
