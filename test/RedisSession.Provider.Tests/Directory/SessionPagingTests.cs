namespace RedisSession.Provider.Tests;

/// <summary>One page at a time, all sessions, or some: by the beginning of their id, by their user, by whether they have one.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class SessionPagingTests(ServerKind kind) : OwningFixture
{
    private const int Sessions = 1000;

    private readonly OurStack _stack = new(kind);
    private readonly Dictionary<string, string?> _users = [];
    private TestApp _app = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _app = Owned.Add(await _stack.StartAsync());
        string?[] users = ["ann", null, "Ann", "bob", null];
        for (int i = 0; i < Sessions; i++) _users.Add(SessionId.Of(Guid.NewGuid().ToString()), users[i % users.Length]);
        var redis = await _stack.DatabaseAsync();
        await Task.WhenAll(_users.Select(one => redis.MakeSessionAsync(
            _stack.KeyOf(one.Key), one.Value is { } user ? [new("@gen", "g"), new("@user", user)] : [new("@gen", "g")])));

        // It only has the name of a session.
        await redis.StringSetAsync(_stack.KeyOf(SessionId.Of("odd")), "x", TimeSpan.FromMinutes(10));
    }

    [Test]
    public async Task The_pages_hold_all_sessions_and_nothing_else([Values(1, 50, 300)] int size) =>
        Assert.That((await ListAsync(size)).SetEquals(_users.Keys), Is.True);

    [Test]
    public async Task Another_instance_goes_on_where_the_first_one_stood()
    {
        await using var other = await _stack.StartAsync();
        int turn = 0;
        var seen = await WalkAsync(after => (turn++ % 2 == 0 ? _app : other).Directory.ListPageAsync(100, after));
        Assert.That(seen.SetEquals(_users.Keys), Is.True);
    }

    /// <summary>After a failover: what its cursor means there nobody knows.</summary>
    [Test]
    public async Task Where_the_server_is_another_the_list_begins_anew()
    {
        string elsewhere = new ScanPosition("0000dead", 12345).ToString();
        Assert.That((await ListAsync(50, elsewhere)).SetEquals(_users.Keys), Is.True, "what is before that cursor here, too");
    }

    [Test]
    public void What_is_no_next_is_refused_at_once(
        [Values("", "x", "-", "12", "12-", "12-abc", "-1-0000dead", " 1-0000dead", "99999999999999999999999-0000dead", "1-127.0.0.1:6379")]
        string after) => Assert.That(
        () => _app.Directory.ListPageAsync(after: after),
        Throws.ArgumentException.With.Property(nameof(ArgumentException.ParamName)).EqualTo("after"));

    [Test]
    public void A_size_out_of_range_is_refused_at_once([Values(0, -1, 1001)] int size) => Assert.That(
        () => _app.Directory.ListPageAsync(size),
        Throws.InstanceOf<ArgumentOutOfRangeException>().With.Property(nameof(ArgumentException.ParamName)).EqualTo("size"));

    [Test]
    public void Who_has_cancelled_gets_nothing() => Assert.That(
        () => _app.Directory.ListPageAsync(cancellationToken: new(canceled: true)), Throws.InstanceOf<OperationCanceledException>());

    /// <summary>A cursor that no server has given, such as from a link that somebody has changed.</summary>
    [Test]
    public async Task A_cursor_that_is_made_up_does_no_harm([Values(1UL, 12345UL, ulong.MaxValue)] ulong cursor)
    {
        string real = (await _app.Directory.ListPageAsync(1)).Next!;
        string madeUp = $"{cursor}-{real.Split('-')[1]}";
        await Attempt.IsDoneAsync<RedisServerException>(() => _app.Directory.ListPageAsync(1, madeUp)); // or the server says no
        Assert.That((await ListAsync(50)).SetEquals(_users.Keys), Is.True);
    }

    [Test]
    public async Task A_session_is_found_by_the_beginning_of_its_id([Values(10, 42, 43)] int length)
    {
        string id = _users.Keys.First();
        Assert.That(await FindAsync(new() { IdStart = id[..length] }), Is.EqualTo([id]));
    }

    [Test]
    public async Task All_sessions_are_found_whose_id_begins_so([Values(1, 7, 50)] int size)
    {
        string start = _users.Keys.First(id => char.IsAsciiLetter(id[0]))[..1];
        var expected = _users.Keys.Where(id => id.StartsWith(start, StringComparison.Ordinal));
        Assert.That(await FindAsync(new() { IdStart = start }, size), Is.EquivalentTo(expected));
    }

    [Test]
    public async Task What_no_id_begins_with_finds_nothing(
        [Values("*", "?", "[a-z]", "\\", "ä", "a b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")] string start)
    {
        var page = await _app.Directory.FindPageAsync(new() { IdStart = start });
        Assert.That((page.Sessions.Count, page.Next), Is.EqualTo((0, (string?)null)));
    }

    [Test]
    public async Task A_user_is_found_in_any_case([Values(1, 50, 1000)] int size) => Assert.That(
        await FindAsync(new() { UserInAnyCase = "ANN" }, size),
        Is.EquivalentTo(_users.Where(one => one.Value is "ann" or "Ann").Select(one => one.Key)));

    [Test]
    public async Task Sessions_of_users_are_told_from_those_of_nobody([Values] bool hasUser, [Values(3, 50)] int size) => Assert.That(
        await FindAsync(new() { HasUser = hasUser }, size),
        Is.EquivalentTo(_users.Where(one => one.Value is not null == hasUser).Select(one => one.Key)));

    [Test]
    public async Task A_filter_that_says_nothing_finds_all() => Assert.That(await FindAsync(new()), Is.EquivalentTo(_users.Keys));

    [Test]
    public async Task All_that_is_said_must_be_so()
    {
        var (id, user) = _users.First(one => one.Value == "Ann");
        Assert.That(await FindAsync(new() { IdStart = id[..10], UserInAnyCase = user, HasUser = true }), Is.EqualTo([id]));
        Assert.That(await FindAsync(new() { IdStart = id[..10], HasUser = false }), Is.Empty);
        Assert.That(await FindAsync(new() { IdStart = id[..10], UserInAnyCase = "bob" }), Is.Empty);
        Assert.That(await FindAsync(new() { UserInAnyCase = "an" }), Is.Empty);
    }

    /// <summary>However many keys a SCAN has looked at: a page is for people.</summary>
    [Test]
    public async Task A_page_of_what_there_is_much_of_is_not_much_larger_than_it_is_to_be()
    {
        var page = await _app.Directory.FindPageAsync(new() { HasUser = true }, 20);
        Assert.That(page.Sessions, Has.Count.InRange(0, 60));
    }

    [Test]
    public void What_cannot_be_is_refused_at_once()
    {
        Assert.That(() => _app.Directory.FindPageAsync(null!), Throws.ArgumentNullException);
        Assert.That(() => _app.Directory.FindPageAsync(new(), 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => _app.Directory.FindPageAsync(new(), 1001), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => _app.Directory.FindPageAsync(new(), after: "x"), Throws.ArgumentException);
        Assert.That(
            () => _app.Directory.FindPageAsync(new(), cancellationToken: new(canceled: true)),
            Throws.InstanceOf<OperationCanceledException>());
    }

    private Task<HashSet<string>> ListAsync(int size, string? after = null) => WalkAsync(next => _app.Directory.ListPageAsync(size, next), after);

    private Task<HashSet<string>> FindAsync(SessionFilter filter, int size = 50) =>
        WalkAsync(next => _app.Directory.FindPageAsync(filter, size, next));

    /// <summary>The ids on all pages from one on.</summary>
    private async Task<HashSet<string>> WalkAsync(Func<string?, Task<SessionPage>> page, string? after = null)
    {
        var seen = new HashSet<string>();
        string? next = after;
        do
        {
            var found = await page(next);
            foreach (var session in found.Sessions) Assert.That(session.User, Is.EqualTo(_users[session.Id]));
            seen.UnionWith(found.Sessions.Select(session => session.Id));
            next = found.Next;
        }
        while (next is not null);

        return seen;
    }
}
