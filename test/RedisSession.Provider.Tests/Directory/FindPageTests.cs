using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Some of all sessions, one page at a time: by the beginning of their id, by their user, by whether they have one.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class FindPageTests(ServerKind kind)
{
    private const int Sessions = 400;

    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private readonly Dictionary<string, string?> _users = [];
    private TestApp _app = null!;
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        var server = await TestServers.GetAsync(kind);
        _redis = server.Admin.GetDatabase();
        _app = await TestApp.StartAsync(services => services.AddRedisHashSession(options =>
            (options.Configuration, options.KeyPrefix) = (server.ConfigurationString, _keyPrefix)));
        string?[] users = ["ann", null, "Ann", "bob", null];
        for (int i = 0; i < Sessions; i++) _users.Add(SessionId.Of(Guid.NewGuid().ToString()), users[i % users.Length]);
        await Task.WhenAll(_users.Select(one => _redis.MakeSessionAsync(
            SessionHashLayout.KeyOf(_keyPrefix, one.Key),
            one.Value is { } user ? [new("@gen", "g"), new("@user", user)] : [new("@gen", "g")])));

        // It only has the name of a session.
        string odd = $"{_keyPrefix}sessions:{SessionId.Of("odd")}";
        await _redis.StringSetAsync(odd, "x", TimeSpan.FromMinutes(10));
    }

    [OneTimeTearDown]
    public async Task Stop() => await _app.DisposeAsync();

    private IRedisSessionDirectory Directory => _app.Services.GetRequiredService<IRedisSessionDirectory>();

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

    [TestCase("*")]
    [TestCase("?")]
    [TestCase("[a-z]")]
    [TestCase("\\")]
    [TestCase("ä")]
    [TestCase("a b")]
    [TestCase("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task What_no_id_begins_with_finds_nothing(string start)
    {
        var page = await Directory.FindPageAsync(new() { IdStart = start });
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
        var page = await Directory.FindPageAsync(new() { HasUser = true }, 20);
        Assert.That(page.Sessions, Has.Count.InRange(0, 60));
    }

    [Test]
    public void What_cannot_be_is_refused_at_once()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => Directory.FindPageAsync(null!), Throws.ArgumentNullException);
            Assert.That(() => Directory.FindPageAsync(new(), 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => Directory.FindPageAsync(new(), 1001), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => Directory.FindPageAsync(new(), after: "x"), Throws.ArgumentException);
            Assert.That(
                () => Directory.FindPageAsync(new(), cancellationToken: new(canceled: true)),
                Throws.InstanceOf<OperationCanceledException>());
        }
    }

    private async Task<IReadOnlyCollection<string>> FindAsync(SessionFilter filter, int size = 50)
    {
        var found = new HashSet<string>();
        string? next = null;
        do
        {
            var page = await Directory.FindPageAsync(filter, size, next);
            found.UnionWith(page.Sessions.Select(session => session.Id));
            next = page.Next;
        }
        while (next is not null);

        return found;
    }
}
