using System.Collections.Concurrent;

namespace RedisSession.Provider.Tests;

/// <summary>Renewals on a cluster, where old and new key are in different slots, and where a prefix in braces keeps them in one.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Category(FullRun.Only)]
internal sealed class ClusterRenewalTests(ServerKind kind) : OwningFixture
{
    private static readonly string[] Prefixes = ["app:", "{app}:"];

    private readonly Dictionary<string, TestApp> _apps = [];
    private RedisCluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAll()
    {
        _cluster = Owned.Add(await RedisCluster.StartAsync(kind));
        foreach (string prefix in Prefixes)
            _apps[prefix] = Owned.Add(await TestApp.StartAsync(_cluster.ConfigurationString, options =>
                (options.KeyPrefix, options.FailureMode, options.AbsoluteTimeout) = (prefix, FailureMode.Throw, TimeSpan.FromHours(2))));
    }

    [TearDown]
    public async Task No_test_has_left_a_session_without_expiry() => Assert.That(
        await ExpiryAudit.KeysWithoutExpiryAsync(await _cluster.PrimariesAsync(), "*s:*"), Is.Empty);

    [TestCaseSource(nameof(Prefixes))]
    public async Task Two_sign_ins_at_once_both_succeed_with_all_data(string prefix)
    {
        for (int i = 0; i < Tries.Of(10); i++)
        {
            using var browser = await NewVisitorAsync(prefix, keys: 1 + (i * 100));
            using Browser first = browser.Twin(), second = browser.Twin();
            await OtherRequests.SignInAtOnceAsync(readsFirst: i % 2 == 0, first, second);
            foreach (var one in new[] { first, second })
                Assert.That(await one.VisitAsync(session => session.Keys.Count()), Is.EqualTo(2 + (i * 100)), $"try {i}");
            Assert.That(await browser.ContentAsync(), Is.Empty);
        }
    }

    [TestCaseSource(nameof(Prefixes))]
    public async Task Of_300_writes_beside_a_renewal_none_that_was_confirmed_is_lost(string prefix)
    {
        for (int round = 0; round < Tries.Of(2); round++)
        {
            using var browser = await NewVisitorAsync(prefix, keys: 1000);
            var confirmed = new ConcurrentBag<string>();
            await browser.RenewBesideAsync(6, begun: 30, async (other, i, n) =>
            {
                bool isConfirmed = await other.TryVisitAsync(async context =>
                {
                    await context.Session.SetAsync($"w{i}.{n}", [1]);
                    if (n > 0) await context.Session.RemoveAsync($"w{i}.{n - 1}");
                });
                if (isConfirmed) confirmed.Add($"w{i}.{n}");
                return n + 1 < 50;
            });
            string[] keys = await browser.VisitAsync(session => session.Keys.ToArray());
            string[] last = [.. confirmed.GroupBy(key => key.Split('.')[0]).Select(writer => writer.MaxBy(NumberIn)!)];
            Assert.That(last, Is.Not.Empty);
            Assert.That(last, Is.SubsetOf(keys), $"round {round}");
            Assert.That(keys.Count(key => key.StartsWith('w')), Is.LessThanOrEqualTo(12), "what was removed is gone, but each one's last");
        }
    }

    [TestCaseSource(nameof(Prefixes))]
    public async Task A_request_that_does_not_get_that_far_leaves_the_old_session(string prefix)
    {
        for (int i = 0; i < Tries.Of(10); i++)
        {
            using var browser = await NewVisitorAsync(prefix, keys: 700);
            using var cancellation = new CancellationTokenSource();
            if (i % 2 == 1) cancellation.CancelAfter(TimeSpan.FromMilliseconds(i));
            (await browser.SendAsync(async context =>
            {
                bool isDone = await Attempt.IsDoneAsync<OperationCanceledException>(() => context.RenewSessionAsync("ann", cancellation.Token));
                if (isDone) throw new TimeZoneNotFoundException("Odd.");
            })).Dispose();
            Assert.That(await browser.VisitAsync(session => session.Keys.Count()), Is.EqualTo(700));
            await Until.TrueAsync("the new one is removed", async () => (await _apps[prefix].Directory.IdsOfAsync("ann")).Length == 0);
        }
    }

    [TestCaseSource(nameof(Prefixes))]
    public async Task The_absolute_timeout_goes_on_from_the_first_creation(string prefix)
    {
        using var browser = await NewVisitorAsync(prefix, keys: 1);
        string key = $"{prefix}sessions:{browser.SessionId}";
        string created = DateTimeOffset.UtcNow.AddMinutes(-115).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        await (await _cluster.PrimaryOfAsync(key)).AskAsync("HSET", key, "@created", created);
        string newKey = $"{prefix}sessions:{await browser.RenewAsync("bob")}";
        var primary = await _cluster.PrimaryOfAsync(newKey);
        Assert.That((await primary.AskAsync("HGET", newKey, "@created")).Text, Is.EqualTo(created));
        Assert.That((await primary.AskAsync("PTTL", newKey)).Number, Is.EqualTo(300_000).Within(60_000));
    }

    private static int NumberIn(string key) => int.Parse(key.Split('.')[1], CultureInfo.InvariantCulture);

    private async Task<Browser> NewVisitorAsync(string prefix, int keys)
    {
        var browser = _apps[prefix].NewBrowser();
        await browser.VisitAsync(session => { for (int i = 0; i < keys; i++) session.SetString($"key{i}", new string('x', 100)); });
        return browser;
    }
}
