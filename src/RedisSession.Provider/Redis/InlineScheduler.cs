namespace RedisSession.Provider;

/// <summary>
/// Runs what follows on a task where that is completed, though the task wants it elsewhere: the client's tasks want it on the thread pool,
/// which may have no thread left when all of them wait for just these tasks. For a few instructions that wait for nothing.
/// </summary>
internal sealed class InlineScheduler : TaskScheduler
{
    public static readonly InlineScheduler Instance = new();

    protected override void QueueTask(Task task) => TryExecuteTask(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => [];
}
