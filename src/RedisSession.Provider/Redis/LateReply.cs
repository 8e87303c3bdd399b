using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Replies that nobody waits for: they still come, or fail, and nothing of it may be left over.</summary>
internal static class LateReply
{
    /// <summary>Whoever awaits the task is told of its failure; when nobody does, it is not reported as one that went unobserved.</summary>
    public static TTask Observed<TTask>(this TTask task)
        where TTask : Task
    {
        _ = task.ContinueWith(static done => _ = done.Exception, TaskScheduler.Default);
        return task;
    }

    /// <summary>For a reply that nobody awaits any more: memory of a pool goes back, too.</summary>
    public static void Abandon(Task reply) => reply.ContinueWith(
        static late =>
        {
            if (late is Task<Lease<byte>?> { IsCompletedSuccessfully: true } pooled) pooled.Result?.Dispose();
            _ = late.Exception;
        },
        TaskScheduler.Default);
}
