using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Replies that nothing waits for: they still arrive, or fail, and must leave nothing behind.</summary>
internal static class LateReply
{
    /// <summary>A failure still reaches whatever awaits the task; if nothing does, it is not reported as unobserved.</summary>
    public static TTask Observed<TTask>(this TTask task)
        where TTask : Task
    {
        _ = task.ContinueWith(static done => _ = done.Exception, TaskScheduler.Default);
        return task;
    }

    /// <summary>For a reply that is no longer awaited: its command is not sent again, and pooled memory is returned.</summary>
    public static void Abandon(Task reply)
    {
        _ = reply.ContinueWith(
            static late =>
            {
                if (late is Task<Lease<byte>?> { IsCompletedSuccessfully: true } pooled) pooled.Result?.Dispose();
                _ = late.Exception;
            },
            TaskScheduler.Default);
        SentCommand.GiveUp(reply);
    }
}
