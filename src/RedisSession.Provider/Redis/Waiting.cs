using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace RedisSession.Provider;

/// <summary>
/// How a caller waits for a reply, and for how long: by awaiting it, or by blocking its thread. Code is written once for both, as an
/// asynchronous method that awaits only <see cref="ForAsync"/> and methods of its own kind. When that blocks, whatever is awaited has
/// already completed, so the method never yields its thread and has finished when it returns: see <see cref="Ended"/>.
/// </summary>
/// <remarks>
/// A thread must wait for the Redis client's own task: if the client has dedicated threads, the one that read the reply completes it. What
/// an asynchronous method makes of a pending reply completes on a pool thread, and when all of those block here, none is left: nobody gets
/// an answer until the pool has added more, a few at a time.
/// </remarks>
internal readonly struct Waiting
{
    private readonly CancellationToken _cancellationToken;

    // In milliseconds plus one, so that default has no bound: Timeout.Infinite is -1.
    private readonly int _bound;
    private readonly Setting _setting;

    private Waiting(bool blocks, TimeSpan timeout, Setting setting, CancellationToken cancellationToken)
    {
        (Blocks, _setting, _cancellationToken) = (blocks, setting, cancellationToken);
        _bound = timeout < TimeSpan.Zero ? 0 : (int)Math.Min(Math.Ceiling(timeout.TotalMilliseconds), int.MaxValue - 1) + 1;
    }

    /// <summary>For as long as it takes: for work that no caller waits for, or that the client's own timeout bounds.</summary>
    public static Waiting Asynchronously => default;

    /// <summary>True if the caller's thread blocks.</summary>
    public bool Blocks { get; }

    private TimeSpan Timeout => TimeSpan.FromMilliseconds(_bound - 1);

    /// <summary>No longer than <paramref name="timeout"/>, unless it is infinite, nor than the caller's patience.</summary>
    /// <param name="timeout">Our bound.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public static Waiting Within(TimeSpan timeout, CancellationToken cancellationToken) =>
        new(blocks: false, timeout, Setting.IOTimeout, cancellationToken);

    /// <summary>On this thread, no longer than <paramref name="timeout"/>, unless it is infinite.</summary>
    /// <param name="timeout">Our bound.</param>
    /// <param name="setting">The setting it comes from.</param>
    public static Waiting Blocking(TimeSpan timeout, Setting setting = Setting.IOTimeout) => new(blocks: true, timeout, setting, default);

    /// <summary>The result of a method written for both ways, for a blocking caller.</summary>
    public static T Ended<T>(Task<T> call)
    {
        Ended((Task)call);
        return call.Result;
    }

    /// <inheritdoc cref="Ended{T}"/>
    public static void Ended(Task call)
    {
        Debug.Assert(call.IsCompleted, "The call awaits something that is not from Waiting: it would wait for the thread pool, for ever.");
        call.GetAwaiter().GetResult();
    }

    /// <summary>The reply, or its failure. If the wait ends first, the reply is abandoned: see <see cref="LateReply.Abandon"/>.</summary>
    /// <param name="reply">One of the Redis client's own tasks, if this blocks.</param>
    /// <exception cref="OperationCanceledException">
    /// The caller cancelled, and the exception has the caller's token. Or, as in ASP.NET Core, our bound ended the wait: then the inner
    /// exception is a <see cref="TimeoutException"/>, and the token is not the caller's. <see cref="HasTimedOut"/> tells them apart.
    /// </exception>
    /// <exception cref="TimeoutException">Our bound ended a blocking wait.</exception>
    public Task<T> ForAsync<T>(Task<T> reply)
    {
        if (reply.IsCompleted) return reply;
        if (Blocks) return Block(reply);
        return _bound == 0 && !_cancellationToken.CanBeCanceled ? reply : BoundAsync(reply);
    }

    /// <summary>Waits in the same way until something else has ended, however it ends.</summary>
    public Task ForEndOfAsync(Task task)
    {
        return ForAsync(EndAsync());

        async Task<bool> EndAsync()
        {
            await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return true;
        }
    }

    /// <summary>Waits until it is worth asking again.</summary>
    public Task PauseAsync(int milliseconds)
    {
        if (!Blocks) return Task.Delay(milliseconds, _cancellationToken);
        SpareThreads.Enter();
        try
        {
            Thread.Sleep(milliseconds);
            return Task.CompletedTask;
        }
        finally
        {
            SpareThreads.Leave();
        }
    }

    /// <summary>True for what <see cref="ForAsync"/> throws when our bound ends a wait; false for what Redis or the caller ended.</summary>
    public bool HasTimedOut(Exception error) =>
        Blocks ? error.GetType() == typeof(TimeoutException) : error is OperationCanceledException { InnerException: TimeoutException };

    /// <summary>True if the caller cancelled: not a failure of Redis.</summary>
    public bool IsCancelled(Exception error) =>
        error is OperationCanceledException { InnerException: not TimeoutException } && _cancellationToken.IsCancellationRequested;

    /// <summary>For commands sent only while the caller still wants them.</summary>
    public void ThrowIfCancelled() => _cancellationToken.ThrowIfCancellationRequested();

    [SuppressMessage("Usage", "SER305:Blocking call", Justification = "ISession and IDistributedCache have a synchronous API.")]
    private Task<T> Block<T>(Task<T> reply)
    {
        SpareThreads.Enter();
        try
        {
            if (reply.Wait(Timeout)) return reply;
        }
        catch (AggregateException)
        {
            return reply; // whoever awaits it gets the exception as it is
        }
        finally
        {
            SpareThreads.Leave();
        }

        LateReply.Abandon(reply);
        return Task.FromException<T>(NoAnswer());
    }

    private async Task<T> BoundAsync<T>(Task<T> reply)
    {
        await ((Task)reply).WaitAsync(Timeout, _cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (reply.IsCompleted) return await reply.ConfigureAwait(false);
        LateReply.Abandon(reply);
        _cancellationToken.ThrowIfCancellationRequested();
        var timeout = NoAnswer();
        throw new OperationCanceledException(timeout.Message, timeout);
    }

    private TimeoutException NoAnswer()
    {
        string setting = _setting == Setting.ClientSyncTimeout ? "client's syncTimeout" : "IOTimeout";
        return new($"Redis did not answer within the {setting} of {Timeout}.");
    }

    /// <summary>What bounds a wait. A byte, because state machines hold the struct that contains it: no more than two words.</summary>
    internal enum Setting : byte
    {
        IOTimeout,
        ClientSyncTimeout,
    }
}
