namespace RedisSession.Provider;

/// <summary>Waits for Redis that do not take for ever.</summary>
internal static class Patience
{
    /// <summary>
    /// Waits for a reply, no longer than <paramref name="timeout"/> and the caller's patience. As in ASP.NET Core a timeout is an
    /// <see cref="OperationCanceledException"/>; its inner exception is a <see cref="TimeoutException"/>, its token not the caller's.
    /// </summary>
    public static async Task<T> WithinAsync<T>(this Task<T> reply, TimeSpan timeout, string doing, CancellationToken cancellationToken)
    {
        try
        {
            // WaitAsync gives a reply that is already there, whoever has cancelled.
            cancellationToken.ThrowIfCancellationRequested();
            return await reply.WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!reply.IsCompleted || error is OperationCanceledException)
        {
            // When it fails later, nobody is there any more to be told.
            _ = reply.Observed();
            if (error is not TimeoutException) throw;
            throw new OperationCanceledException($"Timed out {doing}.", error);
        }
    }

    /// <summary>Whoever awaits the task is told of its failure; when nobody does, it is not reported as one that went unobserved.</summary>
    public static TTask Observed<TTask>(this TTask task)
        where TTask : Task
    {
        _ = task.ContinueWith(static done => _ = done.Exception, TaskScheduler.Default);
        return task;
    }
}
