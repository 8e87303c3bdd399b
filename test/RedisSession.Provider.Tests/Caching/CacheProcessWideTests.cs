using System.Buffers;
using System.Collections.Concurrent;
using static RedisSession.Provider.Tests.CacheAccessExtensions;

namespace RedisSession.Provider.Tests;

/// <summary>What concerns the process and not one call: threads, memory, failures that nobody sees. Nothing may run beside it.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[NonParallelizable]
internal sealed class CacheProcessWideTests(ServerKind kind)
{
    [Test]
    public async Task Of_200_simultaneous_callers_that_block_for_15_replies_all_are_answered()
    {
        await using var running = await CacheStack.OfOurs(kind).StartAsync();
        await running.Cache.SetAsync("key", [1], TenMinutes);
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() =>
        {
            int sum = 0;
            for (int i = 0; i < 5; i++)
            {
                sum += running.Cache.Get("key")![0];
                running.Cache.Set("small", [1], TenMinutes);
                running.Cache.Set("large", new byte[10_000], TenMinutes);
            }

            return sum;
        })));
        Assert.That(answers, Is.All.EqualTo(5));
    }

    [Test]
    public async Task A_large_value_is_got_into_a_buffer_and_set_from_one_without_an_array_of_its_size()
    {
        const int Size = 1024 * 1024, Rounds = 20;
        await using var running = await CacheStack.OfOurs(kind).StartAsync();
        var value = new ReadOnlySequence<byte>(new byte[Size]);
        var buffer = new ArrayBufferWriter<byte>(2 * Size);
        async Task RoundAsync()
        {
            await running.Cache.SetAsync("key", value, TenMinutes);
            buffer.ResetWrittenCount();
            Assert.That(await running.Cache.TryGetAsync("key", buffer), Is.True);
        }

        for (int i = 0; i < 5; i++) await RoundAsync(); // the pools fill

        // The count is that of the whole process, in which what other tests have started may still allocate: the least is what a round needs.
        long least = long.MaxValue;
        for (int measured = 0; measured < 5; measured++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < Rounds; i++) await RoundAsync();
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / Rounds);
        }

        Assert.That(least, Is.LessThan(Size / 2));
    }

    // Applications log an unobserved task exception as an error, or end at it.
    [Test]
    public async Task What_was_cancelled_and_fails_later_surfaces_nowhere()
    {
        var unobserved = new ConcurrentQueue<Exception>();
        FinalizeWhatIsLost(); // what other tests have left is theirs
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            await using var server = await ServerProcess.StartAsync(kind);
            await using var running = CacheStack.OfOurs(kind).Start(server.ConfigurationString, "");
            await running.Cache.SetAsync("key", [1], TenMinutes);
            server.Pause();
            await CancelAsync(token => running.Cache.GetAsync("key", token));
            await CancelAsync(token => running.Cache.SetAsync("key", [2], TenMinutes, token));
            await CancelAsync(token => running.Cache.SetAsync("key", new byte[10_000], TenMinutes, token));
            await CancelAsync(token => running.Cache.TryGetAsync("key", new ArrayBufferWriter<byte>(), token).AsTask());
            await CancelAsync(token => running.Cache.RefreshAsync("key", token));
            await CancelAsync(token => running.Cache.RemoveAsync("key", token));
            server.Kill();
            Assert.That(() => running.Cache.Get("key"), Throws.Exception);
            for (int i = 0; i < 3; i++) FinalizeWhatIsLost();
            Assert.That(unobserved, Is.Empty);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }

        void Note(object? sender, UnobservedTaskExceptionEventArgs args) => unobserved.Enqueue(args.Exception);
    }

    private static async Task CancelAsync(Func<CancellationToken, Task> call)
    {
        using var cancellation = new CancellationTokenSource();
        var waiting = call(cancellation.Token);
        await cancellation.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
    }

    private static void FinalizeWhatIsLost()
    {
        Thread.Sleep(20); // continuations that are due
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
