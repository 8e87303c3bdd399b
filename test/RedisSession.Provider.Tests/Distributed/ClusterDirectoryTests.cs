using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Users and the directory on a cluster: a session, and the list that it is in, are on different servers as a rule.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
[Category(FullRun.Only)]
internal sealed class ClusterDirectoryTests(ServerKind kind)
{
    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private readonly Dictionary<RedisSessionMode, TestApp> _apps = [];
    private RedisCluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAll()
    {
        _cluster = await RedisCluster.StartAsync(kind);
        foreach (var mode in Enum.GetValues<RedisSessionMode>()) _apps[mode] = await StartAppAsync(_cluster, mode, _keyPrefix);
    }

    [OneTimeTearDown]
    public async Task StopAll()
    {
        foreach (var app in _apps.Values) await app.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [TearDown]
    public async Task No_test_has_left_anything_without_expiry() =>
        Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync(await _cluster.PrimariesAsync(), "*s:*"), Is.Empty);

    [Test]
    public async Task Some_of_the_sessions_are_found_on_every_primary()
    {
        var app = _apps[RedisSessionMode.Buffered];
        var directory = DirectoryOf(app);
        string user = $"User {Guid.NewGuid()}";
        var ids = new HashSet<string>();
        var primaries = new HashSet<ServerProcess>();
        while (primaries.Count < 3 || ids.Count < 10)
        {
            using var browser = app.NewBrowser();
            string id = await NewSessionAsync(browser, user);
            ids.Add(id);
            primaries.Add(await _cluster.PrimaryOfAsync(KeyOf(id)));
            Assert.That(await FindAsync(new() { IdStart = id[..12] }), Is.EqualTo([id]));
        }

        Assert.That(await FindAsync(new() { UserInAnyCase = user.ToUpperInvariant() }), Is.EquivalentTo(ids));

        async Task<IReadOnlyCollection<string>> FindAsync(SessionFilter filter)
        {
            var found = new HashSet<string>();
            string? next = null;
            do
            {
                var page = await directory.FindPageAsync(filter, 3, next);
                found.UnionWith(page.Sessions.Select(session => session.Id));
                next = page.Next;
            }
            while (next is not null);

            return found;
        }
    }

    [Test]
    public async Task Sessions_on_every_primary_are_bound_found_moved_and_ended([Values] RedisSessionMode mode, [Values] bool reads)
    {
        var directory = DirectoryOf(_apps[mode]);
        var primaries = new HashSet<ServerProcess>();
        var ids = new HashSet<string>();
        string user = $"user {Guid.NewGuid()}";
        var browsers = Enumerable.Range(0, 20).Select(_ => _apps[mode].NewBrowser()).ToArray();
        foreach (var browser in browsers)
        {
            string id = await NewSessionAsync(browser, reads ? null : user);
            if (reads) await browser.VisitAsAsync(user, session => session.GetString("key"));
            Assert.That(ids.Add(id), Is.True);
            primaries.Add(await _cluster.PrimaryOfAsync(KeyOf(id)));
            Assert.That(await IdsOfAsync(directory, user), Is.EquivalentTo(ids));
        }

        Assert.That(primaries, Has.Count.EqualTo(3));
        foreach (var browser in browsers.Take(10))
        {
            var (oldId, newId) = await browser.VisitAsync(async context =>
            {
                string before = context.Session.Id;
                await context.RenewSessionAsync(user);
                return (before, context.Session.Id);
            });
            ids.Remove(oldId);
            ids.Add(newId);
            Assert.That(await IdsOfAsync(directory, user), Is.EquivalentTo(ids));
        }

        await browsers[0].VisitAsync(context => context.AbandonSessionAsync());
        string kept = await browsers[1].VisitAsync(session => session.Id);
        Assert.That(await directory.EndAllForUserAsync(user, exceptId: kept), Is.EqualTo(18));
        Assert.That(await IdsOfAsync(directory, user), Is.EqualTo([kept]));
        Assert.That(await directory.EndAsync(kept), Is.True);
        Assert.That(await directory.FindByUserAsync(user).CountAsync(), Is.Zero);
        Assert.That(_apps[mode].Logs.Of(SessionEvents.ListingFailed), Is.Empty);
        foreach (var browser in browsers) browser.Dispose();
    }

    [Test]
    public async Task All_primaries_are_listed()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await StartAppAsync(_cluster, RedisSessionMode.Buffered, prefix);
        var ids = new HashSet<string>();
        for (int i = 0; i < 100; i++)
        {
            using var browser = app.NewBrowser();
            ids.Add(await NewSessionAsync(browser, null));
        }

        var directory = DirectoryOf(app);
        Assert.That(await directory.ListAsync().Select(session => session.Id).ToArrayAsync(), Is.EquivalentTo(ids));
        Assert.That(await directory.CountAsync(), Is.EqualTo(100));
        Assert.That((await directory.GetAsync(ids.First()))!.KeyCount, Is.EqualTo(1));

        // The same page by page: some end at one primary, and some go on at the next.
        var seen = new List<string>();
        string? next = null;
        do
        {
            var page = await directory.ListPageAsync(10, next);
            seen.AddRange(page.Sessions.Select(session => session.Id));
            next = page.Next;
        }
        while (next is not null);
        Assert.That(seen.Distinct(), Is.EquivalentTo(ids));
    }

    [Test]
    public async Task While_a_primary_is_away_there_is_no_list_rather_than_one_with_holes()
    {
        await using var cluster = await RedisCluster.StartAsync(kind);
        await using var app = await StartAppAsync(cluster, RedisSessionMode.Buffered, _keyPrefix, TimeSpan.FromMilliseconds(100));
        var ids = new List<string>();
        for (int i = 0; i < 30; i++)
        {
            using var browser = app.NewBrowser();
            ids.Add(await NewSessionAsync(browser, "ann"));
        }

        var directory = DirectoryOf(app);
        var killed = await cluster.KillPrimaryOfAsync(KeyOf(ids[0]));
        Assert.That(async () => await directory.ListAsync().CountAsync(), Throws.Exception.Matches<Exception>(IsOutage));
        Assert.That(async () => await directory.ListPageAsync(1000), Throws.Exception.Matches<Exception>(IsOutage));
        Assert.That(async () => await directory.CountAsync(), Throws.Exception.Matches<Exception>(IsOutage));

        await cluster.WaitForFailoverAsync(killed);
        Assert.That(
            async () =>
            {
                try
                {
                    return await directory.CountAsync();
                }
                catch (Exception error) when (IsOutage(error))
                {
                    return -1; // the client has not noticed yet
                }
            },
            Is.EqualTo(30).After(30_000, 50));
        Assert.That(await directory.ListAsync().Select(session => session.Id).ToArrayAsync(), Is.EquivalentTo(ids));
    }

    private static Task<TestApp> StartAppAsync(RedisCluster cluster, RedisSessionMode mode, string keyPrefix, TimeSpan? tolerance = null) =>
        TestApp.StartAsync(services => services.AddRedisHashSession(options =>
        {
            (options.Configuration, options.KeyPrefix) = (cluster.ConfigurationString, keyPrefix);
            (options.Mode, options.FailureMode, options.IOTimeout) = (mode, FailureMode.Throw, TimeSpan.FromSeconds(5));
            options.OutageTolerance = tolerance ?? options.OutageTolerance;
        }));

    private static bool IsOutage(Exception? error) => error is RedisException or OperationCanceledException;

    private static IRedisSessionDirectory DirectoryOf(TestApp app) => app.Services.GetRequiredService<IRedisSessionDirectory>();

    private static ValueTask<string[]> IdsOfAsync(IRedisSessionDirectory directory, string user) =>
        directory.FindByUserAsync(user).Select(session => session.Id).ToArrayAsync();

    private string KeyOf(string sessionId) => $"{_keyPrefix}sessions:{sessionId}";

    private static Task<string> NewSessionAsync(Browser browser, string? user) => browser.VisitAsAsync(user, session =>
    {
        session.SetString("key", "value");
        return session.Id;
    });
}
