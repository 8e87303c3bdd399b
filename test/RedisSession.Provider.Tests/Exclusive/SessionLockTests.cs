namespace RedisSession.Provider.Tests;

/// <summary>A session of one's own for a moment.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class SessionLockTests(ServerKind kind) : BothModesFixture(kind)
{
    [Test]
    public async Task Of_100_parallel_requests_that_read_and_then_write_none_loses_anything([Values] RedisSessionMode mode)
    {
        await using var other = await StartAsync(mode);
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(session => session.SetInt32("count", 0));
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            using var one = browser.Twin().At(i % 2 == 0 ? Apps[mode] : other);
            await one.VisitAsync(async context =>
            {
                await using var held = await context.Session.LockAsync(TimeSpan.FromMinutes(1));
                int count = context.Session.GetInt32("count") ?? -1;
                await Task.Yield();
                context.Session.SetInt32("count", count + 1);
                context.Session.SetString($"k{count}", "x");
            });
        }));
        Assert.That(await browser.VisitAsync(session => session.GetInt32("count")), Is.EqualTo(100));
        Assert.That(await browser.VisitAsync(session => session.Keys.Count()), Is.EqualTo(101));
    }

    /// <summary>Those who wait have subscribed through the client, which puts the prefix in front of the channel.</summary>
    [Test]
    public async Task Its_release_is_told_to_those_who_wait_whatever_prefix_the_connection_has([Values("", "app1:")] string channelPrefix)
    {
        string configuration = (await Stack.ServerAsync()).ConfigurationString + (channelPrefix == "" ? "" : $",channelPrefix={channelPrefix}");
        await using var app = await TestApp.StartAsync(configuration, options => options.KeyPrefix = Stack.KeyPrefix);
        using var browser = app.NewBrowser();
        string id = await browser.SetStringAsync();
        var heard = new TaskCompletionSource<string>(); // of the last release
        var client = (await app.RedisAsync()).Multiplexer.GetSubscriber();
        await client.SubscribeAsync(RedisChannel.Literal(Stack.KeyPrefix + "locks"), (_, key) => heard.TrySetResult(key!));
        await browser.VisitAsync(async context =>
        {
            await using var held = await context.Session.LockAsync();
            using var late = browser.Twin().At(App); // it is told to other instances that have asked in vain
            await late.VisitAsync(async waiting => Assert.That(await waiting.Session.TryLockAsync(TimeSpan.FromMilliseconds(30)), Is.Null));
            heard = new();
        });
        Assert.That(await heard.Task.WaitAsync(TimeSpan.FromSeconds(30)), Does.EndWith(id));
    }

    [Test]
    public async Task Whoever_waits_in_vain_gets_none_or_an_exception()
    {
        using var browser = await App.NewVisitorAsync();
        using var late = browser.Twin();
        await browser.VisitAsync(async context =>
        {
            await using var held = await context.Session.LockAsync();
            await late.VisitAsync(async waiting =>
            {
                Assert.That(await waiting.Session.TryLockAsync(), Is.Null);
                var patience = TimeSpan.FromMilliseconds(30);
                Assert.That(async () => await waiting.Session.LockAsync(patience), Throws.InstanceOf<SessionLockTimeoutException>());
                waiting.Session.SetString("b", "2");
            });
            Assert.That(context.Session.GetString("b"), Is.Null, "the snapshot is as of the lock");
        });
        Assert.That(await browser.GetStringAsync("b"), Is.EqualTo("2"), "who does not hold it is not held up");
        await late.VisitAsync(async context =>
        {
            await using var held = await context.Session.TryLockAsync();
            Assert.That(held, Is.Not.Null);
        });
    }

    [Test]
    public async Task A_lock_that_is_not_disposed_is_given_back_at_the_end_of_its_request_with_what_was_set([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(async context =>
        {
            _ = await context.Session.LockAsync();
            context.Session.SetString("a", "1");
        });
        await Until.TrueAsync("it is given back", async () => await FieldAsync(browser, "@lock") is null);
        Assert.That(await FieldAsync(browser, "a"), Is.EqualTo("1"));
    }

    [Test]
    public async Task A_write_is_refused_whose_lock_has_gone_to_another([Values] RedisSessionMode mode, [Values] bool isAtomic)
    {
        using var browser = await NewVisitorAsync(mode, "a", "1");
        await browser.VisitAsync(async context =>
        {
            var held = await context.Session.LockAsync();

            // As if this process had stood still for longer than its lease, and another had taken the lock.
            await Redis.HashSetAsync(KeyOf(browser), "@lock", "another:99999999999999:1:0");
            if (isAtomic)
            {
                Assert.That(() => context.Session.IncrementAsync("n"), Throws.InstanceOf<SessionLockLostException>());
                Assert.That(() => context.Session.SetAsync("a", [2]), Throws.InstanceOf<SessionLockLostException>());
            }

            context.Session.SetString("a", "2");
            Assert.That(async () => await held.DisposeAsync(), Throws.InstanceOf<SessionLockLostException>());
        });
        Assert.That(await FieldAsync(browser, "a"), Is.EqualTo("1"));
        Assert.That(await FieldAsync(browser, "@lock"), Does.StartWith("another"));
    }

    [Test]
    public async Task A_lease_that_has_ended_is_taken_by_the_next()
    {
        using var browser = await App.NewVisitorAsync();
        await Redis.HashSetAsync(KeyOf(browser), "@lock", "dead:1:1:0");
        await browser.VisitAsync(async context =>
        {
            await using var held = await context.Session.TryLockAsync();
            Assert.That(held, Is.Not.Null);
            context.Session.Clear();
            context.Session.SetString("b", "2");
        });
        Assert.That(await browser.ContentAsync(), Is.EqualTo("b=2"));
        Assert.That(await FieldAsync(browser, "@lock"), Is.Null);
    }

    [Test]
    public async Task It_begins_a_session_and_moves_and_ends_with_it([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(async context =>
        {
            await using var held = await context.Session.LockAsync();
            context.Session.SetString("a", "1");
        });
        Assert.That(await FieldAsync(browser, "a"), Is.EqualTo("1"));

        await browser.VisitAsync(async context =>
        {
            await using var held = await context.Session.LockAsync();
            await context.RenewSessionAsync("ann");
            context.Session.SetString("b", "2");
        });
        var key = KeyOf(browser);
        Assert.That(await FieldAsync(browser, "@lock"), Is.Null);
        Assert.That(await browser.ContentAsync(), Is.EqualTo("a=1 b=2"));

        await browser.VisitAsync(async context =>
        {
            var held = await context.Session.LockAsync();
            await context.AbandonSessionAsync();
            await held.DisposeAsync();
        });
        Assert.That(await Redis.KeyExistsAsync(key), Is.False);
    }

    [Test]
    public async Task The_directory_says_since_when_it_is_held()
    {
        using var browser = App.NewBrowser();
        await browser.VisitAsync(async context =>
        {
            await using var held = await context.Session.LockAsync();
            Assert.That((await Directory.GetAsync(context.Session.Id))!.LockedSince, Is.EqualTo(DateTimeOffset.UtcNow).Within(5).Seconds);
        });
        Assert.That((await Directory.GetAsync(browser.SessionId))!.LockedSince, Is.Null);
    }

    [Test]
    public async Task A_lock_that_is_asked_for_while_the_key_is_renewed_waits_and_is_of_the_new_key([Values] RedisSessionMode mode)
    {
        await using var relay = new Relay((await Stack.ServerAsync()).ConfigurationString);
        await using var app = await StartAsync(mode, options => options.Configuration = relay.Address);
        using var browser = await app.NewVisitorAsync();
        await browser.VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            string before = context.Session.Id;
            relay.Hold();
            var renewing = context.RenewSessionAsync();
            var locking = Task.Factory.StartNew(
                () => context.Session.LockAsync(TimeSpan.FromMinutes(1)), default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            bool returns = await Task.WhenAny(locking, Task.Delay(2000)) == locking;
            relay.Release();
            await renewing;
            await using (await await locking) Assert.That(context.Session.Id, Is.Not.EqualTo(before));
            Assert.That(returns, Is.True, "the caller's thread goes on");
        });
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
    }

    /// <summary>It is taken when its request has gone: because Redis takes its time, or was away.</summary>
    [Test]
    public async Task A_lock_that_is_taken_when_nobody_waits_for_it_any_more_is_given_back([Values] bool isDown, [Values] bool cancels)
    {
        await using var relay = new Relay((await Stack.ServerAsync()).ConfigurationString);
        await using var app = await StartAsync(RedisSessionMode.Buffered, options =>
        {
            (options.Configuration, options.OutageTolerance) = (relay.Address, TimeSpan.FromMinutes(1));
            if (!cancels) options.IOTimeout = TimeSpan.FromSeconds(2);
        });
        using var browser = app.NewBrowser();
        await browser.SetStringAsync("a", "1");
        await browser.VisitAsync(async context => await (await context.Session.LockAsync()).DisposeAsync()); // its scripts are there
        if (!isDown) relay.Hold();
        else relay.Down();
        if (isDown) await app.UntilDisconnectedAsync();
        await browser.VisitAsync(async context =>
        {
            using var patience = new CancellationTokenSource(cancels ? 200 : Timeout.Infinite);
            Assert.That(() => context.Session.LockAsync(cancellationToken: patience.Token), Throws.InstanceOf<Exception>());
        });
        if (!isDown) relay.Release();
        else relay.Up();
        using var next = browser.Twin().At(Apps[RedisSessionMode.Buffered]); // another instance, which asks Redis
        await app.UntilArrivedAsync();
        await next.VisitAsync(async context =>
        {
            await using var held = await context.Session.TryLockAsync(TimeSpan.FromSeconds(6)); // less than a lease
            Assert.That(held, Is.Not.Null);
        });
    }

    private async Task<string?> FieldAsync(Browser browser, string field) => await Redis.HashGetAsync(KeyOf(browser), field);
}
