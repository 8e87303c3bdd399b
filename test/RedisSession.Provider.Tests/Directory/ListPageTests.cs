using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>The list of all sessions, one page at a time.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class ListPageTests(ServerKind kind)
{
    private const int Sessions = 1000;

    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private readonly HashSet<string> _ids = [];
    private TestApp _app = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _app = await StartAppAsync();
        var redis = (await TestServers.GetAsync(kind)).Admin.GetDatabase();
        for (int i = 0; i < Sessions; i++) _ids.Add(SessionId.Of(Guid.NewGuid().ToString()));
        await Task.WhenAll(_ids.Select(id => redis.MakeSessionAsync(
            SessionHashLayout.KeyOf(_keyPrefix, id), new("@gen", "g"), new("@user", "ann"))));
    }

    [OneTimeTearDown]
    public async Task Stop() => await _app.DisposeAsync();

    private async Task<TestApp> StartAppAsync()
    {
        var server = await TestServers.GetAsync(kind);
        return await TestApp.StartAsync(services => services.AddRedisHashSession(options =>
            (options.Configuration, options.KeyPrefix) = (server.ConfigurationString, _keyPrefix)));
    }

    private IRedisSessionDirectory Directory => _app.Services.GetRequiredService<IRedisSessionDirectory>();

    [Test]
    public async Task The_pages_hold_all_sessions_and_nothing_else([Values(1, 50, 300)] int size)
    {
        Assert.That((await WalkAsync(size, after: null)).SetEquals(_ids), Is.True);
    }

    [Test]
    public async Task Another_instance_goes_on_where_the_first_one_stood()
    {
        await using var other = await StartAppAsync();
        var directories = (IRedisSessionDirectory[])[Directory, other.Services.GetRequiredService<IRedisSessionDirectory>()];
        var seen = new HashSet<string>();
        string? next = null;
        for (int turn = 0; turn == 0 || next is not null; turn++)
        {
            var page = await directories[turn % 2].ListPageAsync(100, next);
            seen.UnionWith(page.Sessions.Select(session => session.Id));
            next = page.Next;
        }

        Assert.That(seen.SetEquals(_ids), Is.True);
    }

    /// <summary>After a failover: what its cursor means there nobody knows.</summary>
    [Test]
    public async Task Where_the_server_is_another_the_list_begins_anew()
    {
        string elsewhere = new ScanPosition("0000dead", 12345).ToString();
        Assert.That((await WalkAsync(size: 50, elsewhere)).SetEquals(_ids), Is.True, "what is before that cursor here, too");
    }

    [TestCase("")]
    [TestCase("x")]
    [TestCase("-")]
    [TestCase("12")]
    [TestCase("12-")]
    [TestCase("12-abc")]
    [TestCase("-1-0000dead")]
    [TestCase(" 1-0000dead")]
    [TestCase("99999999999999999999999-0000dead")]
    [TestCase("1-127.0.0.1:6379")]
    public void What_is_no_next_is_refused_at_once(string after) => Assert.That(
        () => Directory.ListPageAsync(after: after),
        Throws.ArgumentException.With.Property(nameof(ArgumentException.ParamName)).EqualTo("after"));

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(1001)]
    public void A_size_out_of_range_is_refused_at_once(int size) => Assert.That(
        () => Directory.ListPageAsync(size),
        Throws.InstanceOf<ArgumentOutOfRangeException>().With.Property(nameof(ArgumentException.ParamName)).EqualTo("size"));

    [Test]
    public void Who_has_cancelled_gets_nothing() => Assert.That(
        () => Directory.ListPageAsync(cancellationToken: new(canceled: true)), Throws.InstanceOf<OperationCanceledException>());

    /// <summary>A cursor that no server has given, such as from a link that somebody has changed.</summary>
    [Test]
    public async Task A_cursor_that_is_made_up_does_no_harm([Values(1UL, 12345UL, ulong.MaxValue)] ulong cursor)
    {
        string real = (await Directory.ListPageAsync(1)).Next!;
        try
        {
            await Directory.ListPageAsync(1, $"{cursor}-{real.Split('-')[1]}");
        }
        catch (StackExchange.Redis.RedisServerException)
        {
            // or an error of the server's
        }

        Assert.That((await Directory.ListPageAsync(1)).Sessions, Is.Not.Empty);
    }

    /// <summary>The ids on all pages from one on.</summary>
    private async Task<HashSet<string>> WalkAsync(int size, string? after)
    {
        var seen = new HashSet<string>();
        string? next = after;
        do
        {
            var page = await Directory.ListPageAsync(size, next);
            Assert.That(page.Sessions.Select(session => session.User), Is.All.EqualTo("ann"));
            seen.UnionWith(page.Sessions.Select(session => session.Id));
            next = page.Next;
        }
        while (next is not null);

        return seen;
    }
}
