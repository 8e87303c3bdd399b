namespace RedisSession.Provider.Tests;

/// <summary>The scripts of a renewal on their own, by their two steps: what each leaves, once and twice.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class RenewalScriptTests(ServerKind kind)
{
    private const long Minute = 60_000;
    private const string NewSession = "@created=1 @gen=old @user=bob a=1 b=2"; // as ShowAsync shows it

    private readonly string _prefix = SessionStack.NewKeyPrefix();
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task Connect() => _redis = (await TestServers.GetAsync(kind)).Admin.GetDatabase();

    [Test]
    public async Task Beginning_copies_all_and_leaves_the_old_session_as_it_is([Values] bool twice)
    {
        var keys = await NewSessionAsync();
        var reply = await BeginAsync(keys, seen: "old", user: "ann");
        if (twice) reply = await BeginAsync(keys, seen: "old", user: "ann");
        Assert.That(((string?)reply[0], (string?)reply[1], (long)reply[2], (int)reply[3]), Is.EqualTo(("old", "bob", 10 * Minute, 1)));
        Assert.That(await ShowAsync(keys[0]), Is.EqualTo(NewSession));
        Assert.That(await ShowAsync(keys[2]), Is.EqualTo("@created=1 @gen=new @user=ann a=1 b=2"));
        Assert.That(await _redis.KeyTimeToLiveAsync(keys[2]), Is.EqualTo(TimeSpan.FromMinutes(10)).Within(TimeSpan.FromSeconds(20)));
    }

    [TestCase("mine", true)]
    [TestCase("min", false)]
    [TestCase("", false)]
    public async Task Beginning_copies_a_lock_only_for_who_holds_it(string token, bool isCopied)
    {
        var keys = await NewSessionAsync([new("@lock", "mine:99999999999999:1:0")]);
        await BeginAsync(keys, seen: "old", token: token);
        Assert.That(await _redis.HashExistsAsync(keys[2], "@lock"), Is.EqualTo(isCopied));
        Assert.That(await _redis.HashExistsAsync(keys[0], "@lock"), Is.True);
        await FinishAsync(keys, "old");
        Assert.That(await _redis.HashExistsAsync(keys[2], "@lock"), Is.EqualTo(isCopied));
    }

    [TestCase("other", false)]
    [TestCase("old", true)]
    [TestCase("~", false)]
    public async Task Beginning_is_refused_where_another_session_lives_or_none_or_none_was_renewed(string seen, bool isGone)
    {
        var keys = await NewSessionAsync();
        if (isGone) await _redis.KeyDeleteAsync(keys[0]);
        Assert.That((await BeginAsync(keys, seen)).IsNull, Is.True);
        Assert.That(await _redis.KeyExistsAsync(keys[2]), Is.False);
    }

    [Test]
    public async Task The_end_carries_over_what_others_have_changed_but_what_the_new_session_has_changed_itself([Values] bool twice)
    {
        var keys = await NewSessionAsync([new("c", "3"), new("d", "4"), new("e", "5")]);
        await BeginAsync(keys, seen: "old", user: "ann");
        await _redis.HashSetAsync(keys[0], [new("a", "others"), new("b", "others"), new("added", "others"), new("d", "others")]);
        await _redis.HashDeleteAsync(keys[0], ["c", "e"]);
        await _redis.HashSetAsync(keys[2], [new("b", "ours"), new("e", "ours"), new("new", "ours")]);
        await _redis.HashDeleteAsync(keys[2], "d");
        Assert.That((int)await FinishAsync(keys, "old", changed: ["b", "d", "e", "new"]), Is.EqualTo(1));
        if (twice) Assert.That((int)await FinishAsync(keys, "old", changed: ["b", "d", "e", "new"]), Is.EqualTo(1));
        Assert.That(await ShowAsync(keys[2]), Is.EqualTo("@created=1 @gen=new @user=ann a=others added=others b=ours e=ours new=ours"));
        Assert.That(await ShowAsync(keys[1]), Is.EqualTo("@created=1 @gen=old @user=bob a=others added=others b=others d=others"));
        Assert.That(await ShowAsync(keys[0]), Does.Match(@"^@gen=~\d{13}:\d{13}$"));
        foreach (var key in keys) Assert.That(await _redis.KeyTimeToLiveAsync(key), Is.Not.Null, $"{key}");

        // As long as what is parked may be put back somebody must find that.
        Assert.That(await _redis.KeyTimeToLiveAsync(keys[0]), Is.GreaterThan((await _redis.KeyTimeToLiveAsync(keys[1]))!.Value));
        await SealAsync(keys);
        if (twice) await SealAsync(keys);
        Assert.That(await ShowAsync(keys[0]), Does.Match(@"^@gen=~\d{13}:0$"));
        Assert.That(await _redis.KeyTimeToLiveAsync(keys[0]), Is.LessThanOrEqualTo(TimeSpan.FromSeconds(61)));
        Assert.That(await _redis.KeyTimeToLiveAsync(keys[1]), Is.LessThanOrEqualTo(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public async Task Expiries_of_fields_are_carried_over_and_kept()
    {
        if (!kind.HasFieldExpiry) return;
        var keys = await NewSessionAsync();
        await _redis.HashFieldExpireAsync(keys[0], ["a"], TimeSpan.FromSeconds(100));
        await BeginAsync(keys, seen: "old");
        await _redis.HashFieldExpireAsync(keys[0], ["a"], TimeSpan.FromSeconds(200));
        await _redis.HashFieldExpireAsync(keys[2], ["b"], TimeSpan.FromSeconds(300));
        await FinishAsync(keys, "old", changed: ["b"]);
        long[] left = await _redis.HashFieldGetTimeToLiveAsync(keys[2], ["a", "b"]);
        Assert.That(left[0], Is.EqualTo(200_000).Within(20_000));
        Assert.That(left[1], Is.EqualTo(300_000).Within(20_000));
    }

    [Test]
    public async Task A_new_session_that_was_cleared_stays_so()
    {
        var keys = await NewSessionAsync();
        await BeginAsync(keys, seen: "old");
        await _redis.HashDeleteAsync(keys[2], ["a", "b"]);
        await FinishAsync(keys, "old", isCleared: true);
        Assert.That(await ShowAsync(keys[2]), Is.EqualTo("@created=1 @gen=new @user=bob"));
    }

    [Test]
    public async Task The_end_is_refused_where_the_old_session_or_the_new_one_has_ended()
    {
        var keys = await NewSessionAsync();
        await BeginAsync(keys, seen: "old");
        await _redis.KeyDeleteAsync(keys[0]);
        Assert.That((int)await FinishAsync(keys, "old"), Is.Zero);
        Assert.That(await _redis.KeyExistsAsync(keys[0]), Is.False);

        keys = await NewSessionAsync();
        await BeginAsync(keys, seen: "old");
        await _redis.KeyDeleteAsync(keys[2]);
        Assert.That((await FinishAsync(keys, "old")).IsNull, Is.True);
        Assert.That(await _redis.KeyExistsAsync(keys[2]), Is.False);
        Assert.That(await ShowAsync(keys[0]), Does.Contain("a=1"));
    }

    [Test]
    public async Task A_hash_that_another_program_wrote_moves_and_is_dead()
    {
        var keys = NewKeys();
        await _redis.HashSetAsync(keys[0], [new("a", "1")]); // and it has no TTL either
        var reply = await BeginAsync(keys, seen: "");
        Assert.That(((string?)reply[0], (int)reply[3]), Is.EqualTo(("", 1)));
        await _redis.HashSetAsync(keys[0], [new("b", "2")]);
        await FinishAsync(keys, "");
        Assert.That(await ShowAsync(keys[0]), Does.StartWith("@gen=~"));
        Assert.That(await ShowAsync(keys[2]), Does.Match(@"^@created=\d+ @gen=new a=1 b=2$"));
        foreach (var key in keys) Assert.That(await _redis.KeyTimeToLiveAsync(key), Is.Not.Null, $"{key}");
    }

    [Test]
    public async Task What_is_left_of_an_earlier_life_is_not_carried_over()
    {
        var keys = NewKeys();
        await _redis.MakeSessionAsync(keys[1], new HashEntry("stale", "1"));
        await BeginAsync(keys, seen: "");
        await FinishAsync(keys, "");
        Assert.That(await ShowAsync(keys[2]), Does.Not.Contain("stale"));
        Assert.That(await _redis.KeyExistsAsync(keys[1]), Is.False);
        Assert.That(await _redis.KeyExistsAsync(keys[0]), Is.False, "there was nothing that could be dead");
    }

    [Test]
    public async Task A_second_renewal_has_all_data_whatever_the_first_has_done_by_then([Values("old", "", "~")] string seen)
    {
        foreach (bool isSealed in new[] { false, true })
        {
            var keys = await NewSessionAsync();
            await BeginAsync(keys, seen: "old", user: "ann");
            await _redis.HashSetAsync(keys[2], "secret", "of the first");
            await FinishAsync(keys, "old", changed: ["secret"]);
            if (isSealed) await SealAsync(keys);

            var second = AnotherTry(keys);
            var reply = await BeginAsync(second, seen, user: "ann");
            Assert.That(((string?)reply[0], (int)reply[3]), Is.EqualTo(("old", 1)));
            Assert.That((int)await FinishAsync(second, "old"), Is.EqualTo(1));
            Assert.That(await ShowAsync(second[2]), Is.EqualTo("@created=1 @gen=new @user=ann a=1 b=2"));
            Assert.That(await ShowAsync(keys[0]), Does.Match(isSealed ? "^@gen=~[0-9]+:0$" : "^@gen=~[0-9]+:[0-9]{13}$"));
        }
    }

    [Test]
    public async Task Where_nothing_is_parked_any_more_a_sign_in_with_the_old_cookie_begins_empty()
    {
        var keys = await RenewedAsync();
        await _redis.KeyDeleteAsync(keys[1]);
        var second = AnotherTry(keys);
        Assert.That((await BeginAsync(second, seen: "old")).IsNull, Is.True, "who has seen data must not lose it without a word");
        foreach (string seen in new[] { "", "~" })
        {
            Assert.That((int)(await BeginAsync(second, seen, user: "ann"))[3], Is.Zero);
            Assert.That((int)await FinishAsync(second, ""), Is.EqualTo(1));
            Assert.That(await ShowAsync(second[2]), Does.Match(@"^@created=\d+ @gen=new @user=ann$"));
        }
    }

    /// <summary>The old session has ended, another has begun under its key, and that was renewed.</summary>
    [Test]
    public async Task What_is_parked_of_another_session_is_not_taken_for_the_old_one()
    {
        var keys = await NewSessionAsync();
        await BeginAsync(keys, seen: "old", user: "ann");
        await _redis.KeyDeleteAsync(keys[0]);
        await _redis.MakeSessionAsync(keys[0], [new("@gen", "other"), new("@created", 1), new("a", "other")]);
        RedisKey[] others = AnotherTry(keys), second = AnotherTry(keys);
        await BeginAsync(others, seen: "other");
        await FinishAsync(others, "other");

        Assert.That((int)await FinishAsync(keys, "old"), Is.Zero);
        Assert.That(await ParkAsync(keys), Is.Zero);
        Assert.That(await ShowAsync(keys[2]), Does.Contain("a=1"));
        Assert.That((await BeginAsync(second, seen: "~old")).IsNull, Is.True);
        Assert.That((int)(await BeginAsync(second, seen: "~other"))[3], Is.EqualTo(1));
    }

    [Test]
    public async Task What_is_parked_no_more_has_ended_where_somebody_has_ended_it_and_not_by_the_time_alone([Values] bool isEnded)
    {
        var keys = await NewSessionAsync();
        var others = AnotherTry(keys);
        await BeginAsync(keys, seen: "old");
        await BeginAsync(others, seen: "old");
        await FinishAsync(others, "old");
        if (isEnded) await new SessionHash(_redis, keys[0]).EndAsync();
        else await _redis.KeyDeleteAsync(keys[1]);
        Assert.That(await _redis.KeyExistsAsync(keys[1]), Is.False);
        Assert.That((int)await FinishAsync(keys, "old"), Is.EqualTo(isEnded ? 0 : 1));
        Assert.That(await ParkAsync(keys), Is.EqualTo(isEnded ? 0 : 2));
    }

    [Test]
    public async Task Of_what_a_first_try_has_copied_nothing_is_left_when_a_second_finds_nothing()
    {
        var keys = await NewSessionAsync();
        await BeginAsync(keys, seen: "");
        await _redis.KeyDeleteAsync(keys[0]);
        Assert.That((int)(await BeginAsync(keys, seen: ""))[3], Is.Zero);
        Assert.That(await ShowAsync(keys[2]), Does.Match(@"^@created=\d+ @gen=new$"));
    }

    [Test]
    public async Task What_is_parked_is_put_back_when_the_lease_is_over_and_nobody_has_sealed_it()
    {
        var keys = await RenewedAsync(lease: Minute);
        Assert.That(await ReviveAsync(keys), Is.EqualTo(2), "it is not certain yet");
        Assert.That(await ShowAsync(keys[0]), Does.StartWith("@gen=~"));

        await FinishAsync(keys, "old", lease: 0);
        Assert.That(await ReviveAsync(keys), Is.EqualTo(1));
        Assert.That(await ShowAsync(keys[0]), Is.EqualTo(NewSession));
        Assert.That(await _redis.KeyExistsAsync(keys[1]), Is.False);
        Assert.That(await _redis.KeyTimeToLiveAsync(keys[0]), Is.GreaterThan(TimeSpan.FromMinutes(2)));
        Assert.That(await ReviveAsync(keys), Is.EqualTo(1), "and that is all");
        await SealAsync(keys);
        Assert.That(await ShowAsync(keys[0]), Is.EqualTo(NewSession), "a live session is not sealed");
    }

    [Test]
    public async Task What_was_sealed_is_not_put_back()
    {
        var keys = await RenewedAsync(lease: 0, isSealed: true);
        await _redis.KeyExpireAsync(keys[0], TimeSpan.FromHours(1)); // a request that knows no better has refreshed it
        Assert.That(await ReviveAsync(keys), Is.Zero);
        Assert.That(await ShowAsync(keys[0]), Does.Match("^@gen=~[0-9]+:0$"));
        Assert.That(await _redis.KeyTimeToLiveAsync(keys[0]), Is.LessThanOrEqualTo(TimeSpan.FromSeconds(61)), "it ends when it was to end");
    }

    [Test]
    public async Task A_tombstone_whose_time_is_over_is_removed()
    {
        foreach (bool isSealed in new[] { false, true })
        {
            var keys = await RenewedAsync(tombstone: 1, lease: 0, isSealed: isSealed);
            if (!isSealed) await _redis.KeyDeleteAsync(keys[1]);
            string mark = $"~1:{(isSealed ? 0 : 1)}";
            await _redis.MakeSessionAsync(keys[0], new HashEntry("@gen", mark)); // a refresh has prolonged it
            Assert.That(await ReviveAsync(keys), Is.EqualTo(1));
            Assert.That(await _redis.KeyExistsAsync(keys[0]), Is.False);
        }
    }

    [TestCase(-1, true)]
    [TestCase(60_000, false)]
    public async Task A_blind_write_meets_nothing_where_a_tombstones_time_is_over(long left, bool isWritten)
    {
        var keys = NewKeys();
        long until = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + left;
        await _redis.MakeSessionAsync(keys[0], new HashEntry("@gen", $"~{until}:0")); // a refresh has prolonged it
        var changes = new SessionChanges();
        changes.Set("a", [1]);
        var (script, arguments) = SessionScripts.For(changes, new(10 * Minute, 0), isFresh: false, RedisValue.Null, "other", protector: null);
        var reply = ChangeReply.Parse(await script.RunAsync(_redis, keys[0], arguments));
        Assert.That((reply.Ended, reply.Generation == "other"), Is.EqualTo((!isWritten, isWritten)));
        Assert.That(await _redis.HashExistsAsync(keys[0], "a"), Is.EqualTo(isWritten));
    }

    [Test]
    public async Task What_only_looks_like_a_tombstone_is_left_alone()
    {
        var keys = NewKeys();
        await _redis.MakeSessionAsync(keys[0], new HashEntry("@gen", "~odd"));
        Assert.That(await ReviveAsync(keys), Is.Zero);
        Assert.That(await ShowAsync(keys[0]), Is.EqualTo("@gen=~odd"));
    }

    [Test]
    public async Task Binding_gives_a_sealed_tombstone_the_end_back_that_it_had()
    {
        var keys = await RenewedAsync(isSealed: true);
        await _redis.KeyExpireAsync(keys[0], TimeSpan.FromHours(1));
        Assert.That(await new SessionHash(_redis, keys[0]).BindAsync("ann", generationSeen: () => RedisValue.Null, new(10 * Minute, 0)), Is.Null);
        Assert.That(await _redis.KeyTimeToLiveAsync(keys[0]), Is.LessThanOrEqualTo(TimeSpan.FromSeconds(61)));
        Assert.That(await ShowAsync(keys[0]), Does.StartWith("@gen=~"));
    }

    [TestCase(null, true)]
    [TestCase("bob", true)]
    [TestCase("ann", false)]
    public async Task What_was_ended_while_it_was_parked_is_not_put_back(string? onlyOf, bool isEnded)
    {
        var keys = await RenewedAsync(user: "ann", lease: 0);
        Assert.That(await new SessionHash(_redis, keys[0]).EndAsync(onlyOf), Is.Null);
        Assert.That(await ReviveAsync(keys), Is.EqualTo(isEnded ? 0 : 1));
        Assert.That(await _redis.HashExistsAsync(keys[0], "a"), Is.EqualTo(!isEnded));
    }

    [Test]
    public void Keys_of_one_session_are_in_one_slot_and_begin_as_those_of_sessions_do(
        [Values("", "app:", "{app}:", "a{b}c:", "shop of Ann:")] string prefix)
    {
        var keys = SessionHashLayout.WithParked($"{prefix}sessions:{SessionId.Of("x")}");
        Assert.That(HashedPartOf(keys[1]), Is.EqualTo(HashedPartOf(keys[0])));
        Assert.That(keys[1].ToString(), Does.StartWith($"{prefix}sessions:"));
        Assert.That(SessionId.IsOne(keys[1].ToString().AsSpan($"{prefix}sessions:".Length)), Is.False);

        // What is in the first braces, if there is anything; else the whole key.
        static string HashedPartOf(string? key)
        {
            int open = key!.IndexOf('{', StringComparison.Ordinal);
            int close = open < 0 ? -1 : key.IndexOf('}', open);
            return close > open + 1 ? key[(open + 1)..close] : key;
        }
    }

    [Test]
    public void What_is_no_id_has_nothing_parked([Values("x", "a:b{c}d", "")] string id) =>
        Assert.That(SessionHashLayout.WithParked($"app:sessions:{id}"), Has.Length.EqualTo(1));

    private RedisKey[] NewKeys() =>
    [
        .. SessionHashLayout.WithParked($"{_prefix}sessions:{SessionId.Of(Guid.NewGuid().ToString())}"),
        $"{_prefix}sessions:{SessionId.Of(Guid.NewGuid().ToString())}",
    ];

    /// <summary>The same old session, under another new key.</summary>
    private RedisKey[] AnotherTry(RedisKey[] keys) => [.. keys[..2], NewKeys()[0]];

    private async Task<RedisKey[]> NewSessionAsync(params HashEntry[] more)
    {
        var keys = NewKeys();
        await _redis.MakeSessionAsync(keys[0], [new("@gen", "old"), new("@created", 1), new("@user", "bob"), new("a", 1), new("b", 2), .. more]);
        return keys;
    }

    /// <summary>The keys of a session that was renewed.</summary>
    private async Task<RedisKey[]> RenewedAsync(string user = "", long tombstone = Minute, long lease = 2_000, bool isSealed = false)
    {
        var keys = await NewSessionAsync();
        await BeginAsync(keys, seen: "old", user);
        await FinishAsync(keys, "old", tombstone: tombstone, lease: lease);
        if (isSealed) await SealAsync(keys);
        return keys;
    }

    private Task<RedisResult> BeginAsync(RedisKey[] keys, string seen, string user = "", string token = "") =>
        RenewalScripts.Begin.RunAsync(_redis, keys, [10 * Minute, 0, seen, "new", user, token]);

    private Task<RedisResult> FinishAsync(
        RedisKey[] keys, string seen, string[]? changed = null, bool isCleared = false, long tombstone = Minute, long lease = 2_000) =>
        RenewalScripts.Finish.RunAsync(
            _redis, keys, [seen, "new", isCleared, 10 * Minute, tombstone, lease, .. (changed ?? []).Select(field => (RedisValue)field)]);

    private async Task<int> ParkAsync(RedisKey[] keys) =>
        (int)await RenewalScripts.Park.RunAsync(_redis, keys[..2], ["old", 10 * Minute, Minute, 2_000]);

    private Task<RedisResult> SealAsync(RedisKey[] keys) => RenewalScripts.Seal.RunAsync(_redis, keys[..2], [Minute]);

    private async Task<int> ReviveAsync(RedisKey[] keys) => (int)await RenewalScripts.Revive.RunAsync(_redis, keys[..2], []);

    private async Task<string> ShowAsync(RedisKey key) =>
        string.Join(' ', (await _redis.HashGetAllAsync(key)).Select(field => $"{field.Name}={field.Value}").Order(StringComparer.Ordinal));
}
