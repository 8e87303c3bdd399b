namespace RedisSession.Provider.Tests;

/// <summary>Expiries on a cluster: each primary reports its own.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Category(FullRun.Only)]
internal sealed class ClusterLifecycleTests(ServerKind kind)
{
    private const int Sessions = 60;

    [Test]
    public async Task Sessions_on_every_primary_are_told_once_with_their_users_and_a_primary_that_reports_nothing_is_named()
    {
        await using var cluster = await RedisCluster.StartAsync(kind);
        var primaries = await cluster.PrimariesAsync();
        foreach (var primary in primaries) await primary.AskAsync("CONFIG", "SET", "notify-keyspace-events", "Ex");
        string prefix = SessionStack.NewKeyPrefix();
        var (one, other) = (new RecordedEvents(), new RecordedEvents());
        await using var first = await StartAsync(cluster, one, prefix).WhenListeningAsync();
        await using var second = await StartAsync(cluster, other, prefix).WhenListeningAsync();
        var users = new Dictionary<string, string?>();
        var servers = new HashSet<ServerProcess>();
        for (int i = 0; i < Sessions; i++)
        {
            using var browser = await (i % 2 == 0 ? first : second).NewVisitorAsync($"user {i}");
            users[browser.SessionId] = $"user {i}";
            servers.Add(await cluster.PrimaryOfAsync($"{prefix}sessions:{browser.SessionId}"));
        }

        Assert.That(servers, Has.Count.EqualTo(3));
        await Until.TrueAsync("all are told", () => one.Expired.Count + other.Expired.Count >= Sessions);
        await first.StopAsync();
        await second.StopAsync();
        Assert.That(
            one.Expired.Concat(other.Expired),
            Is.EquivalentTo(users.Select(entry => new SessionEnded(entry.Key, entry.Value, SessionEndReason.Expired))));
        Assert.That(first.Logs.All.Concat(second.Logs.All).Where(entry =>
            entry.Level >= LogLevel.Warning && entry.Category.StartsWith("RedisSession.Provider", StringComparison.Ordinal)), Is.Empty);
        foreach (string pattern in ExpiryAudit.LifecycleKeys) Assert.That(await ExpiryAudit.KeysWithoutExpiryAsync(primaries, pattern), Is.Empty);

        await primaries[1].AskAsync("CONFIG", "SET", "notify-keyspace-events", "");
        await using var third = await StartAsync(cluster, new RecordedEvents(), prefix);
        await Until.TrueAsync("it is logged", () => third.Logs.Of(SessionEvents.ExpiriesUnheard).Count > 0);
        string warning = third.Logs.Of(SessionEvents.ExpiriesUnheard).Single().Message;
        Assert.That(primaries.Where(primary => warning.Contains($":{primary.Port},", StringComparison.Ordinal)), Is.EqualTo([primaries[1]]));
    }

    private static Task<TestApp> StartAsync(RedisCluster cluster, ISessionLifecycle handler, string prefix) => ListeningApp.StartAsync(
        cluster.ConfigurationString, handler, options => (options.KeyPrefix, options.IdleTimeout) = (prefix, TimeSpan.FromSeconds(1)));
}
