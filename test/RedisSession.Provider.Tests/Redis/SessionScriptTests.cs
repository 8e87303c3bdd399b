using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// The scripts on their own: applied twice they leave what once leaves, since a write that timed out may have been applied.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
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
            var first = new SessionChanges();
            first.Set("b", [2]);
            var created = await ChangeAsync(key, first, default, "generation");
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

    [Test]
    public async Task A_create_applied_twice_is_one_session()
    {
        var key = NewKey();
        var changes = new SessionChanges();
        changes.Set("a", [1]);
        await ChangeAsync(key, changes, default, "generation");
        string after = await ShowAsync(key);
        var twice = await ChangeAsync(key, changes, default, "generation");
        Assert.That(twice, Is.EqualTo(new ChangeReply(false, "generation")));
        Assert.That(await ShowAsync(key), Is.EqualTo(after));
    }

    [Test]
    public async Task A_change_to_a_session_that_has_ended_is_refused_however_often_it_is_tried()
    {
        var key = NewKey();
        var changes = new SessionChanges();
        changes.Set("a", [1]);
        for (int i = 0; i < 3; i++)
        {
            var reply = await ChangeAsync(key, changes, "gone", "another");
            Assert.That(reply.Ended, Is.True);
        }

        Assert.That(await _redis.KeyExistsAsync(key), Is.False);
    }

    private RedisKey NewKey() => $"{_prefix}sessions:{Guid.NewGuid():N}";

    private async Task<ChangeReply> ChangeAsync(RedisKey key, SessionChanges changes, RedisValue seen, string newGeneration)
    {
        var (script, arguments) = SessionScripts.For(changes, Expiry, isFresh: false, seen, newGeneration, protector: null);
        return ChangeReply.Parse(await script.RunAsync(_redis, key, arguments));
    }

    private async Task<string> ShowAsync(RedisKey key) =>
        string.Join(' ', (await _redis.HashGetAllAsync(key)).Select(entry => $"{entry.Name}={entry.Value}").Order(StringComparer.Ordinal));
}
