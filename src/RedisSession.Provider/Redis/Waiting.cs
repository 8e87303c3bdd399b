using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace RedisSession.Provider;

/// <summary>
/// How a caller waits for a reply, and for how long: by awaiting it, or by blocking its thread. Code is written once for both, as an
/// asynchronous method that awaits nothing but <see cref="ForAsync"/> and methods of its own kind. Where that blocks, what is awaited is
/// there already, so that the method never gives up its thread and has ended when it returns: see <see cref="Ended"/>.
/// </summary>
/// <remarks>
/// What a thread waits for must be the Redis client's own task: where the client has threads of its own, the one that has read the reply
/// completes it. What an asynchronous method makes of a reply that is not there yet completes on a pool thread, and when all of them block
/// here there is none left: nobody is answered before the pool has made more, a few at a time.
/// </remarks>
internal readonly struct Waiting
{
    private readonly CancellationToken _cancellationToken;

    // In milliseconds and one more, so that what default gives is without a bound: Timeout.Infinite is -1.
    private readonly int _bound;
    private readonly Setting _setting;

    private Waiting(bool blocks, TimeSpan timeout, Setting setting, CancellationToken cancellationToken)
    {
        (Blocks, _setting, _cancellationToken) = (blocks, setting, cancellationToken);
        _bound = timeout < TimeSpan.Zero ? 0 : (int)Math.Min(Math.Ceiling(timeout.TotalMilliseconds), int.MaxValue - 1) + 1;
    }

    /// <summary>For as long as it takes: what is not waited for by a caller, and what the client's own timeout bounds.</summary>
    public static Waiting Asynchronously => default;

    /// <summary>True for a caller whose thread waits.</summary>
    public bool Blocks { get; }

    /// <summary>
    /// For work that goes on when the caller has given up: it is awaited as long as it takes, and the caller awaits it with a bound. A
    /// thread that works waits as before.
    /// </summary>
    public Waiting ToTheEnd => Blocks ? this : Asynchronously;

    private TimeSpan Timeout => TimeSpan.FromMilliseconds(_bound - 1);

    /// <summary>No longer than <paramref name="timeout"/>, if it is not infinite, and the caller's patience.</summary>
    /// <param name="timeout">The bound of ours.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public static Waiting Within(TimeSpan timeout, CancellationToken cancellationToken) =>
        new(blocks: false, timeout, Setting.IOTimeout, cancellationToken);

    /// <summary>On this thread, no longer than <paramref name="timeout"/>, if it is not infinite.</summary>
    /// <param name="timeout">The bound of ours.</param>
    /// <param name="setting">Where an application says it.</param>
    public static Waiting Blocking(TimeSpan timeout, Setting setting = Setting.IOTimeout) => new(blocks: true, timeout, setting, default);

    /// <summary>What a method that is written for both ways has given to a caller who blocks.</summary>
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

    /// <summary>
    /// The reply, or what it failed with. If the wait ends first, the reply is left alone: see <see cref="LateReply.Abandon"/>.
    /// </summary>
    /// <param name="reply">A task of the Redis client itself, where this blocks.</param>
    /// <exception cref="OperationCanceledException">
    /// The caller has cancelled, and the exception has his token. Or, as in ASP.NET Core, our bound has ended the wait: then the inner
    /// exception is a <see cref="TimeoutException"/>, and the token is not the caller's. <see cref="HasTimedOut"/> tells them apart.
    /// </exception>
    /// <exception cref="TimeoutException">Our bound has ended the wait of a thread.</exception>
    public Task<T> ForAsync<T>(Task<T> reply)
    {
        if (reply.IsCompleted) return reply;
        if (Blocks) return Block(reply);
        return _bound == 0 && !_cancellationToken.CanBeCanceled ? reply : BoundAsync(reply);
    }

    /// <summary>Until it is worth asking again.</summary>
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

    /// <summary>True for what <see cref="ForAsync"/> throws when our bound ends a wait; false for what Redis or the caller has ended.</summary>
    public bool HasTimedOut(Exception error) =>
        Blocks ? error.GetType() == typeof(TimeoutException) : error is OperationCanceledException { InnerException: TimeoutException };

    /// <summary>True for what the caller has ended: no failure of Redis.</summary>
    public bool IsCancelled(Exception error) =>
        error is OperationCanceledException { InnerException: not TimeoutException } && _cancellationToken.IsCancellationRequested;

    /// <summary>For what is sent only to a caller who still wants it.</summary>
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

    /// <summary>What bounds a wait. A byte, because state machines hold what this is in: no more than two words.</summary>
    internal enum Setting : byte
    {
        IOTimeout,
        ClientSyncTimeout,
    }
}
