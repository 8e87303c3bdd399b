namespace RedisSession.Provider.Tests;

/// <summary>
/// The primary is away and a replica answers that has less: here nothing at all, as before its first synchronization. Neither a
/// success nor an ended session nor "nobody is signed in" may be concluded from it.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class ReplicaTests(ServerKind kind)
{
    [Test]
    public Task A_write_is_not_confirmed_by_a_replica([Values] RedisSessionMode mode) => WithoutPrimaryAsync(
        mode, before: _ => Task.CompletedTask,
        after: session => Assert.That(async () => await session.RemoveAsync("user"), Throws.InstanceOf<RedisException>()));

    [Test]
    public Task A_session_has_not_ended_because_a_replica_does_not_have_it([Values] RedisSessionMode mode) => WithoutPrimaryAsync(
        mode, before: async session => Assert.That(await session.GetStrAsync("user"), Is.EqualTo("Ada")),
        after: session => Assert.That(async () => await session.SetAsync("user", [1]), Throws.InstanceOf<RedisException>()));

    [Test]
    public Task With_FailureMode_Throw_nothing_is_read_from_a_replica([Values] RedisSessionMode mode) => WithoutPrimaryAsync(
        mode, before: _ => Task.CompletedTask,
        after: session =>
        {
            Assert.That(() => session.GetStr("user"), Throws.InstanceOf<RedisException>());
            Assert.That(async () => await session.GetStrAsync("user"), Throws.InstanceOf<RedisException>());
        });

    /// <summary>One request of somebody with a session, during which the primary dies.</summary>
    private async Task WithoutPrimaryAsync(RedisSessionMode mode, Func<ISession, Task> before, Action<ISession> after)
    {
        await using var primary = await ServerProcess.StartAsync(kind);
        await using var replica = await ServerProcess.StartAsync(kind, "--replicaof", $"127.0.0.1 {FreePort.Choose()}"); // of nobody
        await using var app = await TestApp.StartAsync($"{primary.ConfigurationString},{replica.ConfigurationString}", options =>
            (options.Mode, options.FailureMode, options.OutageTolerance) = (mode, FailureMode.Throw, TimeSpan.FromMilliseconds(100)));
        using var browser = await app.NewVisitorAsync(key: "user", value: "Ada");
        await browser.VisitAsync(async context =>
        {
            await before(context.Session);
            primary.Kill();
            await UntilOnlyReplicasAreConnectedAsync(app);
            after(context.Session);
        });
    }

    private static async Task UntilOnlyReplicasAreConnectedAsync(TestApp app)
    {
        var multiplexer = (await app.RedisAsync()).Multiplexer;
        Assert.That(
            () => multiplexer.GetServers().Where(server => server.IsConnected).Select(server => server.IsReplica),
            Is.EqualTo([true]).After(20_000, 10));
    }
}
