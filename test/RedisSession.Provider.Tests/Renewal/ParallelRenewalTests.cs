using System.Collections.Concurrent;

namespace RedisSession.Provider.Tests;

/// <summary>What other requests do to the session while its key is renewed, and what becomes of the old cookie.</summary>
[TestFixtureSource(nameof(Ways))]
internal sealed class ParallelRenewalTests(ServerKind kind, bool inPortions) : RenewalFixture(kind, inPortions)
{
    private readonly bool _inPortions = inPortions;

    /// <summary>A double click: both answers are good, and whichever cookie the browser keeps leads to the cart.</summary>
    [Test]
    public async Task Two_sign_ins_at_once_both_succeed_with_all_data([Values] bool readsFirst)
    {
        for (int i = 0; i < Tries.Of(10); i++)
        {
            using var browser = await NewVisitorAsync();
            using Browser first = browser.Twin(), second = browser.Twin();
            await OtherRequests.SignInAtOnceAsync(readsFirst, first, second);
            await AssertWholeAsync(first, $"try {i}, the first");
            await AssertWholeAsync(second, $"try {i}, the second");
            await AssertNothingAsync(browser);
        }
    }

    /// <summary>The second request of a double click can come when the first is done.</summary>
    [Test]
    public async Task A_sign_in_with_the_old_cookie_behind_another_succeeds_with_all_data(
        [Values] bool readsFirst, [Values] RedisSessionMode mode)
    {
        await using var app = await Stack.StartAsync(options => (options.ProtectValues, options.Mode) = (_inPortions, mode));
        using var browser = await NewVisitorAsync(app);
        using var second = browser.Twin();
        using var third = browser.Twin();
        await browser.VisitAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            context.Session.SetString("secret", "of the first");
        });
        foreach (var late in new[] { second, third })
        {
            await late.VisitAsync(async context =>
            {
                if (readsFirst) Assert.That(context.Session.GetStr("cart"), Is.Empty, "the old cookie finds nothing");
                await context.RenewSessionAsync("ann");
                Assert.That(context.Session.GetStr("cart"), Is.EqualTo("full"));
                Assert.That(context.Session.IsNone("secret"), Is.True);
            });
            await AssertWholeAsync(late);
        }
    }

    [Test]
    public async Task The_lock_that_another_request_holds_stays_with_the_old_session([Values] RedisSessionMode mode)
    {
        await using var app = await Stack.StartAsync(options => (options.ProtectValues, options.Mode) = (_inPortions, mode));
        using var browser = await NewVisitorAsync(app);
        using var holding = browser.Twin();
        await holding.VisitAsync(async holder =>
        {
            var held = await holder.Session.LockAsync();
            string id = await browser.VisitAsync(async context =>
            {
                await context.RenewSessionAsync("ann");
                Assert.That((await app.Directory.GetAsync(context.Session.Id))!.LockedSince, Is.Null);
                return context.Session.Id;
            });
            Assert.That(await Redis.HashExistsAsync(Stack.KeyOf(id), "@lock"), Is.False);
            await browser.VisitAsync(async context =>
            {
                await using var next = await context.Session.TryLockAsync();
                Assert.That(next, Is.Not.Null);
            });
            Assert.That(async () => await held.DisposeAsync(), Throws.InstanceOf<SessionLockLostException>());
        });
        await AssertWholeAsync(browser);
    }

    [Test]
    public async Task The_lock_that_the_request_holds_moves_with_the_session([Values] RedisSessionMode mode)
    {
        await using var app = await Stack.StartAsync(options => (options.ProtectValues, options.Mode) = (_inPortions, mode));
        using var browser = await NewVisitorAsync(app);
        string id = await browser.VisitAsync(async context =>
        {
            _ = await context.Session.LockAsync();
            await context.RenewSessionAsync("ann");
            context.Session.SetString("cart", "full");
            await context.Session.CommitAsync();
            Assert.That(await Redis.HashExistsAsync(Stack.KeyOf(context.Session.Id), "@lock"), Is.True);
            return context.Session.Id;
        });
        await Until.TrueAsync("it is given back", async () => !await Redis.HashExistsAsync(Stack.KeyOf(id), "@lock"));
        await AssertWholeAsync(browser);
    }

    /// <summary>Each of two tasks of one request may be the first.</summary>
    [Test]
    public async Task A_lock_that_a_request_takes_while_it_renews_the_key_is_of_the_new_one(
        [Values] RedisSessionMode mode, [Values] bool locksFirst)
    {
        await using var app = await Stack.StartAsync(options => (options.ProtectValues, options.Mode) = (_inPortions, mode));
        for (int i = 0; i < Tries.Of(5); i++)
        {
            using var browser = await NewVisitorAsync(app);
            await browser.VisitAsync(async context =>
            {
                var locking = locksFirst ? context.Session.LockAsync() : null;
                var renewing = context.RenewSessionAsync("ann");
                var held = await (locking ?? context.Session.LockAsync());
                await renewing;
                await context.Session.IncrementAsync("n");
                await held.DisposeAsync();
            });
            Assert.That(await browser.VisitAsync(session => session.GetInt("n")), Is.EqualTo(1));
            Assert.That(await Redis.HashExistsAsync(Stack.KeyOf(browser.SessionId), "@lock"), Is.False);
        }
    }

    [Test]
    public async Task Of_300_writes_beside_a_renewal_none_that_was_confirmed_is_lost_and_none_begins_another_session([Values] bool isBlind)
    {
        const int Writers = 6;
        int confirmedInAll = 0, refusedInAll = 0;
        for (int round = 0; round < Tries.Of(3); round++)
        {
            using var browser = await NewVisitorAsync();
            var confirmed = new ConcurrentBag<string>();
            int refused = 0;
            await browser.RenewBesideAsync(Writers, begun: 60, async (other, i, n) =>
            {
                string key = $"w{i}.{n}";
                bool isConfirmed = await other.TryVisitAsync(async context =>
                {
                    if (!isBlind) await context.Session.LoadAsync();
                    await context.Session.SetAsync(key, [1]);
                });
                if (isConfirmed) confirmed.Add(key);
                else Interlocked.Increment(ref refused);
                return n + 1 < 300 / Writers;
            });
            string[] keys = await browser.VisitAsync(session => session.Keys.ToArray());
            Assert.That(confirmed, Is.SubsetOf(keys), $"round {round}");
            Assert.That(confirmed.Count + refused, Is.EqualTo(300));
            (confirmedInAll, refusedInAll) = (confirmedInAll + confirmed.Count, refusedInAll + refused);
        }

        Assert.That(confirmedInAll, Is.Positive);
        Assert.That(refusedInAll, Is.Positive, "else nobody was late");
    }

    [Test]
    public async Task A_blind_write_to_the_old_cookie_is_refused_from_then_on_in_each_way()
    {
        using var browser = await NewVisitorAsync();
        using var old = browser.Twin();
        await browser.RenewAsync("ann");
        Func<ISession, Task>[] writes =
        [
            session => session.SetAsync("late", [1]), session => session.TrySetAsync("late", [1]), session => session.IncrementAsync("late"),
            session => session.TakeAsync("late"), session => session.RemoveAsync("cart"),
            session => { session.Clear(); return session.CommitAsync(); },
            session => { session.SetString("late", "1"); return session.CommitAsync(); },
        ];
        for (int i = 0; i < writes.Length; i++)
            Assert.That(await old.TryVisitAsync(context => writes[i](context.Session)), Is.False, $"write {i}");
        await AssertWholeAsync(browser);
        Assert.That(await browser.VisitAsync(session => session.IsNone("late")), Is.True);
        await AssertNothingAsync(old);
    }

    /// <summary>The old key is dead for a while, and not for ever, however often requests refresh it that know no better.</summary>
    [Test]
    public async Task When_its_time_is_over_the_old_cookie_begins_anew()
    {
        await using var app = await Stack.StartAsync(options =>
            (options.ProtectValues, options.IdleTimeout, options.RefreshInterval) = (_inPortions, TimeSpan.FromSeconds(3), TimeSpan.Zero));
        using var browser = await NewVisitorAsync(app);
        string oldId = browser.SessionId;
        using var reading = browser.Twin();
        using var writing = browser.Twin();
        await browser.RenewAsync("ann");
        await Until.TrueAsync("it can be used again", async () =>
        {
            await reading.VisitAsync(_ => { }); // refreshes what is left
            return await writing.TryVisitAsync(context => context.Session.SetAsync("fresh", [1]));
        });
        Assert.That(await reading.VisitAsync(session => (session.Id, session.Keys.Single())), Is.EqualTo((oldId, "fresh")));
    }

    [Test]
    public async Task Renewals_under_clients_that_count_all_the_time_all_succeed_and_lose_no_count([Values(16, 32)] int clients)
    {
        for (int round = 0; round < Tries.Of(3); round++)
        {
            using var browser = await NewVisitorAsync();
            await browser.VisitAsync(context => context.Session.IncrementAsync("count", 0));
            long counted = 0;
            await browser.RenewBesideAsync(clients, begun: clients, async (client, _, _) =>
            {
                bool isConfirmed = await client.TryVisitAsync(context => context.Session.IncrementAsync("count"));
                if (isConfirmed) Interlocked.Increment(ref counted);
                return isConfirmed;
            });
            Assert.That(await browser.VisitAsync(session => session.GetInt("count")), Is.EqualTo(counted), $"round {round}");
            await AssertWholeAsync(browser);
        }
    }

    /// <summary>What takes longer than the lease is not taken for an application that has died.</summary>
    [Test]
    public async Task The_end_of_a_large_session_takes_its_time_and_nobody_puts_it_back_meanwhile()
    {
        if (!_inPortions) return; // one step of Redis
        await using var far = new FarServer((await Stack.ServerAsync()).ConfigurationString, TimeSpan.FromMilliseconds(400));
        await using var slow = await TestApp.StartAsync(
            far.ConfigurationString, options => (options.KeyPrefix, options.ProtectValues) = (Stack.KeyPrefix, true));
        using var browser = await NewVisitorAsync();
        byte[] value = new byte[600_000];
        for (int i = 0; i < 16; i++) await browser.VisitAsync(context => context.Session.SetAsync($"large{i}", value));
        using var other = browser.Twin();
        browser.At(slow);
        bool isBegun = false;
        var renewing = browser.VisitAsync(async context => { await context.RenewSessionAsync("ann"); isBegun = true; });
        await Until.TrueAsync("it begins", () => isBegun);
        while (!renewing.IsCompleted)
        {
            // Before its end he finds it; afterwards, having waited for that, nothing.
            string found = await other.VisitAsync(async context => await context.Session.GetStrAsync("cart"));
            if (found.Length == 0) break;
        }

        await renewing;
        Assert.That(await other.ContentAsync(), Is.Empty);
        Assert.That(await browser.At(App).VisitAsync(session => session.Keys.Count()), Is.EqualTo(18));
    }

    [Test]
    public async Task What_the_request_changes_itself_after_the_renewal_counts()
    {
        using var browser = App.NewBrowser();
        await browser.VisitAsync(session => SetAll(session, "old", "both", "taken", "removed", "theirs", "gone"));
        using var other = browser.Twin();
        await browser.VisitAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            context.Session.SetString("both", "ours");
            await context.Session.TakeAsync("taken");
            await context.Session.RemoveAsync("removed");
            await context.Session.IncrementAsync("counted", 5);
            await other.VisitAsync(beside =>
            {
                SetAll(beside, "1", "both", "taken", "removed", "theirs", "counted", "added");
                beside.Remove("gone");
            });
        });
        Assert.That(await browser.ContentAsync(), Is.EqualTo("added=1 both=ours counted=5 theirs=1"));
    }

    /// <summary>What was asked for and not done is no change, so that what others write counts.</summary>
    [Test]
    public async Task What_the_request_tries_after_the_renewal_and_does_not_change_is_carried_over()
    {
        using var browser = App.NewBrowser();
        await browser.VisitAsync(session => SetAll(session, "old", "there", "text"));
        using var other = browser.Twin();
        await browser.VisitAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            Assert.That(await context.Session.TrySetValueAsync("there", "ours"), Is.False);
            Assert.That((await context.Session.TakeAsync("absent")).None, Is.True);
            Assert.That(async () => await context.Session.IncrementAsync("text"), Throws.InvalidOperationException);
            await context.Session.TrySetValueAsync("set", "ours");
            Assert.That(await context.Session.TrySetValueAsync("set", "ours again"), Is.False);
            await other.VisitAsync(beside => SetAll(beside, "theirs", "there", "absent", "text", "set"));
        });
        Assert.That(await browser.ContentAsync(), Is.EqualTo("absent=theirs set=ours text=theirs there=theirs"));
    }

    /// <summary>A request that takes longer than what is parked for it is kept has its own copy.</summary>
    [Test]
    public async Task Of_two_sign_ins_the_one_that_ends_much_later_has_all_data_too()
    {
        using var browser = await NewVisitorAsync();
        var parked = SessionHashLayout.WithParked(Stack.KeyOf(browser.SessionId))[1];
        using var late = browser.Twin();
        await late.VisitAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            await browser.RenewAsync("ann");
            Assert.That(await Redis.KeyDeleteAsync(parked), Is.True);
        });
        await AssertWholeAsync(late);
        await AssertWholeAsync(browser);
    }

    [Test]
    public async Task A_session_that_the_request_clears_stays_cleared()
    {
        using var browser = await NewVisitorAsync();
        using var other = browser.Twin();
        await browser.VisitAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            context.Session.Clear();
            context.Session.SetString("new", "1");
            await context.Session.CommitAsync();
            await other.VisitAsync(beside => beside.SetString("late", "1"));
        });
        Assert.That(await browser.ContentAsync(), Is.EqualTo("new=1"));
    }

    [Test]
    public async Task Tasks_of_the_request_that_write_while_its_response_starts_lose_nothing([Values] RedisSessionMode mode)
    {
        await using var app = await Stack.StartAsync(options => (options.ProtectValues, options.Mode) = (_inPortions, mode));
        for (int round = 0; round < Tries.Of(5); round++)
        {
            using var browser = await NewVisitorAsync(app);
            await browser.VisitAsync(async context =>
            {
                await context.RenewSessionAsync("ann");
                var writing = Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
                {
                    for (int n = 0; n < 10; n++) await context.Session.SetAsync($"k{i}.{n}", [1]);
                }));
                await context.Response.WriteAsync("early");
                await writing;
            });
            Assert.That(await browser.VisitAsync(session => session.Keys.Count()), Is.EqualTo(82), $"round {round}");
        }
    }

    private static void SetAll(ISession session, string value, params string[] keys)
    {
        foreach (string key in keys) session.SetString(key, value);
    }

    private static async Task AssertNothingAsync(Browser browser)
    {
        Assert.That(await browser.ContentAsync(), Is.Empty);
        var read = await browser.VisitAsync(async context => await context.Session.ReadAsync(["cart", "more"]));
        Assert.That(read.Values, Has.All.Property("None").True);
    }
}
