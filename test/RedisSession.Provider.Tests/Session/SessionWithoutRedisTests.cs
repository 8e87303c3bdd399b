namespace RedisSession.Provider.Tests;

/// <summary>What a session answers from itself alone, and where there is no Redis (<see cref="FailureMode.LogAndContinue"/>).</summary>
internal sealed class SessionWithoutRedisTests
{
    [Test]
    public void Reads_find_nothing_and_say_that_redis_is_away()
    {
        var session = SessionWithoutRedis.Create();
        Assert.That(session.Keys, Is.Empty);
        Assert.That((session.TryGetValue("key", out _), session.GetInt("key"), session.IsAvailable), Is.EqualTo((false, 0, false)));
    }

    [Test]
    public void Availability_is_found_out_by_whoever_asks_first() => Assert.That(SessionWithoutRedis.Create().IsAvailable, Is.False);

    [Test]
    public void Own_writes_are_read_back()
    {
        var session = SessionWithoutRedis.Create();
        session.SetValue("one", 1);
        session.SetValue("two", 2);
        session.Remove("two");
        Assert.That((session.GetInt("one"), session.IsNone("two")), Is.EqualTo((1, true)));
        Assert.That(session.Keys, Is.EqualTo(["one"]));
    }

    [Test]
    public Task Load_throws() =>
        Assert.ThatAsync(() => SessionWithoutRedis.Create().LoadAsync(), Throws.Exception.SameAs(SessionWithoutRedis.Error));

    [Test]
    public Task Commit_throws()
    {
        var session = SessionWithoutRedis.Create();
        session.SetValue("key", 1);
        return Assert.ThatAsync(() => session.CommitAsync(), Throws.Exception.SameAs(SessionWithoutRedis.Error));
    }

    // An exception that is thrown again and again gets a longer stack trace each time: it must be none, or a fresh one.
    [Test]
    public void Accesses_after_the_first_failure_cost_next_to_nothing_however_many([Values] RedisSessionMode mode)
    {
        var session = SessionWithoutRedis.Create(mode: mode);
        Assert.That(session.GetString("key"), Is.Null);
        using var all = Assert.EnterMultipleScope();
        Assert.That(BytesForEach(() => session.TryGetValue("key", out _)), Is.LessThan(500), "read");
        Assert.That(BytesForEach(() => session.Set("key", [1])), Is.LessThan(2000), "write");
        Assert.That(BytesForEach(() => _ = session.Keys), Is.LessThan(2000), "keys");
        Assert.That(BytesForEach(() => _ = session.IsAvailable), Is.LessThan(500), "availability");
    }

    [Test]
    public void Asynchronous_accesses_that_throw_cost_the_same_each_time([Values] RedisSessionMode mode)
    {
        // An error of its own: the one that the other tests throw meanwhile has their stack traces too.
        var session = SessionWithoutRedis.Create(
            mode: mode, factory: () => Task.FromException<IConnectionMultiplexer>(new InvalidOperationException("There is no Redis here.")));
        Assert.That(session.GetString("key"), Is.Null);
        Assert.That(BytesForEach(() => Assert.That(session.GetIntAsync("key").AsTask().IsFaulted, Is.True)), Is.LessThan(60_000));
    }

    [Test]
    public async Task A_request_asks_a_connection_that_cannot_be_made_for_once([Values] RedisSessionMode mode)
    {
        int asked = 0;
        var session = SessionWithoutRedis.Create(mode: mode, factory: () =>
        {
            Interlocked.Increment(ref asked);
            return Task.FromException<IConnectionMultiplexer>(SessionWithoutRedis.Error);
        });
        for (int i = 0; i < 20; i++)
        {
            session.SetValue($"key{i}", i);
            _ = session.GetInt("other");
            _ = session.IsAvailable;
            await session.LoadAsync().ContinueWith(_ => { }, TaskScheduler.Default);
        }

        Assert.That(asked, Is.EqualTo(1));
    }

    // As the factories of applications do that were written for a synchronous connection.
    [Test]
    public async Task A_connection_that_is_made_synchronously_is_waited_for_no_longer_than_the_IOTimeout([Values] RedisSessionMode mode)
    {
        using var connected = new ManualResetEventSlim();
        var session = SessionWithoutRedis.Create(mode: mode, ioTimeout: TimeSpan.FromMilliseconds(100), factory: () =>
        {
            connected.Wait();
            return Task.FromException<IConnectionMultiplexer>(SessionWithoutRedis.Error);
        });
        try
        {
            await Task.Run(async () =>
            {
                await Assert.ThatAsync(() => session.GetIntAsync("key").AsTask(), Throws.InstanceOf<OperationCanceledException>());
                Assert.That(session.GetString("key"), Is.Null);
                session.SetString("key", "1");
            }).WaitAsync(TimeSpan.FromSeconds(20));
        }
        finally
        {
            connected.Set();
        }
    }

    /// <summary>Of many, those at the end: whatever grows has grown by then.</summary>
    private static long BytesForEach(Action access)
    {
        const int Count = 500;
        for (int i = 0; i < 1500; i++) access();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Count; i++) access();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Count;
    }

    [Test]
    public void Null_and_too_long_keys_are_refused()
    {
        var session = SessionWithoutRedis.Create();
        Assert.That(() => session.Set(null!, []), ThrowsNull.Of("key"));
        Assert.That(() => session.Set("key", null!), ThrowsNull.Of("value"));
        Assert.That(() => session.Remove(null!), ThrowsNull.Of("key"));
        Assert.That(() => session.TryGetValue(null!, out _), ThrowsNull.Of("key"));
        Assert.That(() => session.Set(new('a', 65_536), []), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
