namespace RedisSession.Provider.Tests;

/// <summary>
/// The scripts on their own, those that know whose a session is too: applied twice they leave what once leaves, since a write that timed
/// out may have been applied.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class SessionScriptTests(ServerKind kind)
{
    private static readonly SessionExpiry Expiry = new(600_000, 0);

    private readonly string _prefix = SessionStack.NewKeyPrefix();
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task Connect() => _redis = (await TestServers.GetAsync(kind)).Admin.GetDatabase();

    private static IEnumerable<TestCaseData> Changes()
    {
        TestCaseData Case(string name, Action<SessionChanges> change) => new TestCaseData(change).SetArgDisplayNames(name);
        yield return Case("set", changes => changes.Set("a", [1]));
        yield return Case("remove", changes => changes.Remove("b"));
        yield return Case("clear and set", changes =>
        {
            changes.Clear();
            changes.Set("a", [1]);
        });
        yield return Case("bind", changes => changes.Bind("ann"));
        yield return Case("everything", changes =>
        {
            changes.Clear();
            changes.Remove("b");
            changes.Set("a", [1]);
            changes.Bind("ann");
        });
    }

    [TestCaseSource(nameof(Changes))]
    public async Task A_change_applied_twice_leaves_what_once_leaves(Action<SessionChanges> change)
    {
        foreach (bool seesIt in new[] { false, true })
        {
            var key = NewKey();
            var created = await ChangeAsync(key, Setting("b", 2), default, "generation");
            var changes = new SessionChanges();
            change(changes);
            var seen = seesIt ? created.Generation : default;

            var once = await ChangeAsync(key, changes, seen, "another");
            string after = await ShowAsync(key);
            var twice = await ChangeAsync(key, changes, seen, "another");
            Assert.That(twice, Is.EqualTo(once));
            Assert.That(await ShowAsync(key), Is.EqualTo(after));
            Assert.That(await _redis.KeyTimeToLiveAsync(key), Is.Not.Null);
        }
    }

    /// <summary>A request with the old cookie refreshes it without a look: handlers are not told of its end for only so long.</summary>
    [Test]
    public async Task A_refresh_keeps_a_tombstone_no_longer_than_a_new_session_would_live()
    {
        var (idle, absolute) = (TimeSpan.FromHours(12), TimeSpan.FromMinutes(10));
        var key = NewKey();
        await _redis.HashSetAsync(key, "@gen", "~99999999999999:0");
        await _redis.KeyExpireAsync(key, TimeSpan.FromMinutes(1));
        await SessionScripts.Refresh.RunAsync(_redis, key, [(long)idle.TotalMilliseconds, (long)absolute.TotalMilliseconds]);
        Assert.That(await _redis.KeyTimeToLiveAsync(key), Is.EqualTo(absolute).Within(TimeSpan.FromSeconds(30)));
    }

    [Test]
    public async Task A_create_applied_twice_is_one_session()
    {
        var key = NewKey();
        await ChangeAsync(key, Setting("a", 1), default, "generation");
        string after = await ShowAsync(key);
        Assert.That(await ChangeAsync(key, Setting("a", 1), default, "generation"), Is.EqualTo(new ChangeReply(false, "generation")));
        Assert.That(await ShowAsync(key), Is.EqualTo(after));
    }
    [Test]
    public async Task A_change_to_a_session_that_has_ended_is_refused_however_often_it_is_tried()
    {
        var key = NewKey();
        for (int i = 0; i < 3; i++) Assert.That((await ChangeAsync(key, Setting("a", 1), "gone", "another")).Ended, Is.True);
        Assert.That(await _redis.KeyExistsAsync(key), Is.False);
    }

    private static SessionChanges Setting(string key, byte value)
    {
        var changes = new SessionChanges();
        changes.Set(key, [value]);
        return changes;
    }

    // What the hash holds of a user, the request's user, and then the answer and what the hash holds.
    [TestCase("", "", "", "", ""), TestCase("", "ann", "ann", "", "@auto=1 @user=ann")]
    [TestCase("@user=ann @auto=1", "", "ann", "", "@auto=1 @user=ann")]
    [TestCase("@user=ann @auto=1", "ann", "ann", "", "@auto=1 @user=ann")]
    [TestCase("@user=ann @auto=1", "bob", "bob", "ann", "@auto=1 @user=bob")]
    [TestCase("@user=ann", "", "ann", "", "@user=ann")]
    [TestCase("@user=ann", "ann", "ann", "", "@user=ann"), TestCase("@user=ann", "bob", "ann", "", "@user=ann")]
    public async Task Binding(string holds, string user, string owner, string before, string holdsThen)
    {
        var (hash, key) = await NewSessionAsync(holds);
        var once = (await hash.BindAsync(user, generationSeen: () => RedisValue.Null, Expiry))!;
        Assert.That((once.User ?? "", once.Before ?? "", once.TimeToLive), Is.EqualTo((owner, before, Expiry.Idle)));
        Assert.That(await ShowUserAsync(key), Is.EqualTo(holdsThen));

        var twice = (await hash.BindAsync(user, generationSeen: () => RedisValue.Null, Expiry))!;
        Assert.That((twice.User ?? "", twice.Before ?? "", await ShowUserAsync(key)), Is.EqualTo((owner, "", holdsThen)));
    }

    [TestCase(0, 600_000), TestCase(60_000, 60_000), TestCase(6_000_000, 600_000), TestCase(-1, 1)]
    public async Task Binding_tells_how_long_the_session_can_live(long left, long expected)
    {
        // Whatever its TTL is now: a renewal may be on its way.
        var (hash, key) = await NewSessionAsync("");
        await _redis.KeyExpireAsync(key, TimeSpan.FromSeconds(30));
        long absolute = left == 0 ? 0 : 3_600_000;
        var created = DateTimeOffset.UtcNow.AddMilliseconds(left - absolute);
        await _redis.HashSetAsync(key, "@created", created.ToUnixTimeMilliseconds());
        var reply = await hash.BindAsync("ann", generationSeen: () => RedisValue.Null, Expiry with { Absolute = absolute });
        Assert.That(reply!.TimeToLive, Is.EqualTo(expected).Within(left > 0 ? 10_000 : 0));
    }

    [Test]
    public async Task Binding_makes_no_session_and_touches_no_other_life_of_it()
    {
        var absent = NewKey();
        Assert.That(await new SessionHash(_redis, absent).BindAsync("ann", generationSeen: () => RedisValue.Null, Expiry), Is.Null);
        Assert.That(await _redis.KeyExistsAsync(absent), Is.False);

        var (hash, key) = await NewSessionAsync("");
        Assert.That(await hash.BindAsync("ann", generationSeen: () => "another", Expiry), Is.Null);
        Assert.That(await ShowUserAsync(key), Is.Empty);
        Assert.That(await hash.BindAsync("ann", generationSeen: () => "g", Expiry), Is.Not.Null);
    }

    [Test]
    public async Task A_session_is_ended_once_and_its_user_is_told()
    {
        var (hash, key) = await NewSessionAsync("@user=ann");
        Assert.That((await hash.EndAsync(onlyOf: "bob"), await _redis.KeyExistsAsync(key)), Is.EqualTo(((string?)null, true)));
        Assert.That((await hash.EndAsync(onlyOf: "ann"), await _redis.KeyExistsAsync(key)), Is.EqualTo(("ann", false)));
        Assert.That(await hash.EndAsync(), Is.Null);

        var (anonymous, _) = await NewSessionAsync("");
        Assert.That(await anonymous.EndAsync(), Is.Empty);
    }

    [Test]
    public async Task What_is_no_session_but_under_its_key_goes_too()
    {
        var key = NewKey();
        await _redis.StringSetAsync(key, "no hash", TimeSpan.FromMinutes(5));
        Assert.That(await new SessionHash(_redis, key).EndAsync(), Is.Empty);
        Assert.That(await _redis.KeyExistsAsync(key), Is.False);
    }

    [Test]
    public async Task A_list_ends_with_the_entry_that_is_kept_longest()
    {
        var (list, key) = NewList();
        foreach (var (id, time, left) in ((string, int, int)[])
            [("a", 100_000, 100_000), ("b", 300_000, 300_000), ("c", 50_000, 300_000), ("b", 200_000, 200_000)])
        {
            await list.KeepAsync(id, time);
            await list.KeepAsync(id, time);
            Assert.That((await _redis.KeyTimeToLiveAsync(key))!.Value.TotalMilliseconds, Is.InRange(left - 10_000, left), id);
        }

        Assert.That((await list.ReadAsync()).Select(id => (string?)id), Is.EqualTo(["c", "a", "b"]));
        await ForgetTwiceAsync(list, "b");
        Assert.That((await _redis.KeyTimeToLiveAsync(key))!.Value.TotalMilliseconds, Is.InRange(90_000, 100_000));
        await ForgetTwiceAsync(list, "a");
        await ForgetTwiceAsync(list, "c");
        Assert.That(await _redis.KeyExistsAsync(key), Is.False);
        await list.ForgetAsync("c", "1");
        Assert.That(await _redis.KeyExistsAsync(key), Is.False);
    }

    [Test]
    public async Task An_entry_that_was_kept_since_is_not_taken_out()
    {
        var (list, _) = NewList();
        var stamps = new HashSet<string>();
        string first = (await list.KeepAsync("a", 100_000))!;
        Assert.That(await list.StampOfAsync("a"), Is.EqualTo(first));
        for (int i = 0; i < 200; i++)
        {
            Assert.That(await list.KeepAsync("a", 100_000), Is.Null, "who was not the first does not remove it");
            Assert.That(stamps.Add((await list.StampOfAsync("a"))!), Is.True);
        }

        await list.ForgetAsync("a", first);
        Assert.That(await list.StampOfAsync("a"), Is.EqualTo(stamps.Max()));
        await list.ForgetAsync("a", stamps.Max()!);
        Assert.That(await list.StampOfAsync("a"), Is.Null);
    }

    [Test]
    public async Task An_entry_may_be_kept_as_long_as_the_longest_timeout()
    {
        long longest = SessionExpiry.From(TimeSpan.MaxValue, null).Idle * 5 / 4;
        var (list, key) = NewList();
        string stamp = (await list.KeepAsync("a", longest))!;
        Assert.That(await list.StampOfAsync("a"), Is.EqualTo(stamp));
        Assert.That((await _redis.KeyTimeToLiveAsync(key))!.Value.TotalMilliseconds, Is.EqualTo(longest).Within(10_000));
        await list.ForgetAsync("a", stamp);
        Assert.That(await _redis.KeyExistsAsync(key), Is.False);
    }

    [Test]
    public async Task Entries_whose_time_is_over_go_when_the_list_is_next_touched()
    {
        var (list, key) = NewList();
        await list.KeepAsync("short", 20);
        await list.KeepAsync("long", 300_000);
        await Until.TrueAsync("the time of the short one is over", async () =>
        {
            await list.KeepAsync("long", 300_000);
            return (await list.ReadAsync()).Length == 1;
        });
        Assert.That(await _redis.KeyTimeToLiveAsync(key), Is.Not.Null);
    }

    [Test]
    public async Task A_list_disappears_by_itself()
    {
        var (list, key) = NewList();
        await list.KeepAsync("a", 100);
        await Until.TrueAsync("the list is gone", async () => !await _redis.KeyExistsAsync(key));
    }

    private RedisKey NewKey() => $"{_prefix}sessions:{Guid.NewGuid():N}";

    private async Task<ChangeReply> ChangeAsync(RedisKey key, SessionChanges changes, RedisValue seen, string newGeneration)
    {
        var (script, arguments) = SessionScripts.For(changes, Expiry, isFresh: false, seen, newGeneration, protector: null);
        return ChangeReply.Parse(await script.RunAsync(_redis, key, arguments));
    }

    private static async Task ForgetTwiceAsync(UserList list, string id)
    {
        string stamp = (await list.StampOfAsync(id))!;
        await list.ForgetAsync(id, stamp);
        await list.ForgetAsync(id, stamp);
    }

    private (UserList List, RedisKey Key) NewList()
    {
        RedisKey key = $"{_prefix}users:{Guid.NewGuid():N}";
        return (new UserList(_redis, key), key);
    }

    private async Task<(SessionHash Hash, RedisKey Key)> NewSessionAsync(string holds)
    {
        var key = NewKey();
        var hash = new SessionHash(_redis, key);
        var fields = holds.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(field => field.Split('='))
            .Select(parts => new HashEntry(parts[0], parts[1]));
        await _redis.MakeSessionAsync(key, [new("@gen", "g"), new("@created", "1"), .. fields]);
        return (hash, key);
    }

    private Task<string> ShowUserAsync(RedisKey key) => ShowAsync(key, "@gen", "@created");

    private async Task<string> ShowAsync(RedisKey key, params RedisValue[] without) => string.Join(' ', (await _redis.HashGetAllAsync(key))
        .Where(entry => !without.Contains(entry.Name)).Select(entry => $"{entry.Name}={entry.Value}").Order(StringComparer.Ordinal));
}
