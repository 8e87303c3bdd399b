namespace RedisSession.Provider.Tests;

/// <summary>What ends a wait, and what becomes of a reply that comes later.</summary>
internal sealed class WaitingTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    [Test]
    public void Without_a_bound_and_a_token_nothing_is_put_around_the_reply()
    {
        var reply = new TaskCompletionSource<int>().Task;
        Assert.That(Waiting.Asynchronously.ForAsync(reply), Is.SameAs(reply));
        Assert.That(Waiting.Within(Timeout.InfiniteTimeSpan, default).ForAsync(reply), Is.SameAs(reply));
    }

    [Test]
    public void A_reply_that_is_there_is_given_whoever_has_cancelled()
    {
        var reply = Task.FromResult(5);
        Assert.That(Waiting.Within(Short, new(canceled: true)).ForAsync(reply), Is.SameAs(reply));
        Assert.That(Waiting.Blocking(Short).ForAsync(reply), Is.SameAs(reply));
    }

    [Test]
    public async Task A_reply_that_comes_in_time_is_given_or_fails_as_it_does([Values] bool blocks, [Values] bool fails)
    {
        var reply = new TaskCompletionSource<int>();
        var waiting = blocks ? Waiting.Blocking(Long) : Waiting.Within(Long, new CancellationTokenSource().Token);
        var waited = Task.Run(() => waiting.ForAsync(reply.Task));
        if (fails) reply.SetException(new RedisServerException(RedisErrorKind.WrongType, CommandFlags.None, "WRONGTYPE"));
        else reply.SetResult(5);
        if (fails) Assert.That(async () => await waited, Throws.TypeOf<RedisServerException>());
        else Assert.That(await waited, Is.EqualTo(5));
    }

    [Test]
    public async Task Whom_the_caller_ends_has_not_timed_out()
    {
        using var cancellation = new CancellationTokenSource();
        var waiting = Waiting.Within(Long, cancellation.Token);
        var waited = waiting.ForAsync(new TaskCompletionSource<int>().Task);
        Assert.That(waiting.ThrowIfCancelled, Throws.Nothing);
        await cancellation.CancelAsync();
        var error = await Assert.CatchAsync<OperationCanceledException>(async () => await waited);
        Assert.That(error!.CancellationToken, Is.EqualTo(cancellation.Token));
        Assert.That((waiting.IsCancelled(error), waiting.HasTimedOut(error)), Is.EqualTo((true, false)));
        Assert.That(waiting.ThrowIfCancelled, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Whom_the_bound_ends_has_not_been_cancelled_by_the_caller_even_if_he_cancels_later()
    {
        using var cancellation = new CancellationTokenSource();
        var waiting = Waiting.Within(Short, cancellation.Token);
        var error = await Assert.CatchAsync<OperationCanceledException>(
            async () => await waiting.ForAsync(new TaskCompletionSource<int>().Task));
        await cancellation.CancelAsync();
        Assert.That(error!.CancellationToken, Is.Not.EqualTo(cancellation.Token));
        Assert.That(error.InnerException, Is.TypeOf<TimeoutException>());
        Assert.That(error.Message, Is.EqualTo("Redis did not answer within the IOTimeout of 00:00:00.0010000."));
        Assert.That((waiting.HasTimedOut(error), waiting.IsCancelled(error)), Is.EqualTo((true, false)));
    }

    [Test]
    public void A_thread_that_waits_is_told_of_the_bound_by_a_timeout()
    {
        var waiting = Waiting.Blocking(Short, Waiting.Setting.ClientSyncTimeout);
        var waited = waiting.ForAsync(new TaskCompletionSource<int>().Task);
        Assert.That(waited.IsCompleted, Is.True);
        var error = Assert.Throws<TimeoutException>(() => Waiting.Ended(waited));
        Assert.That(error!.Message, Is.EqualTo("Redis did not answer within the client's syncTimeout of 00:00:00.0010000."));
        Assert.That(waiting.HasTimedOut(error), Is.True);
        Assert.That(waiting.HasTimedOut(new RedisTimeoutException(CommandFlags.None, "the client's own", CommandStatus.Sent)), Is.False);
    }

    /// <summary>All pool threads may be blocked just then: nothing of it may need another.</summary>
    [Test]
    public void A_method_for_both_ways_stays_on_the_thread_that_waits_and_has_ended_when_it_returns()
    {
        var waiting = Waiting.Blocking(Long);
        var threads = new List<int>();
        var call = SumAsync();
        Assert.That(call.IsCompleted, Is.True);
        Assert.That(Waiting.Ended(call), Is.EqualTo(3));
        Assert.That(threads, Is.All.EqualTo(Environment.CurrentManagedThreadId));

        async Task<int> SumAsync()
        {
            int sum = await waiting.ForAsync(Sent(1)).ConfigureAwait(false);
            threads.Add(Environment.CurrentManagedThreadId);
            sum += await waiting.ForAsync(Sent(2)).ConfigureAwait(false);
            threads.Add(Environment.CurrentManagedThreadId);
            return sum;
        }

        // As the client does: answered on a thread that is not the pool's.
        static Task<int> Sent(int answer)
        {
            var reply = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            new Thread(() => reply.SetResult(answer)) { IsBackground = true }.Start();
            return reply.Task;
        }
    }

    [Test]
    public async Task Memory_of_a_pool_goes_back_when_it_comes_too_late([Values] bool blocks)
    {
        var reply = new TaskCompletionSource<Lease<byte>?>();
        var waiting = blocks ? Waiting.Blocking(Short) : Waiting.Within(Short, default);
        Assert.That(async () => await waiting.ForAsync(reply.Task), Throws.Exception);
        var lease = Lease<byte>.Create(10);
        reply.SetResult(lease);
        await Until.TrueAsync("it is given back", () => Task.FromResult(IsGivenBack(lease)));
    }

    private static bool IsGivenBack(Lease<byte> lease)
    {
        try
        {
            _ = lease.Span.Length;
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }
}
