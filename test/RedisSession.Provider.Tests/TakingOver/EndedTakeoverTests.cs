using Microsoft.AspNetCore.DataProtection;

namespace RedisSession.Provider.Tests;

/// <summary>A session that has ended here does not come back from what AddSession has left of it.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class EndedTakeoverTests(ServerKind kind) : TakeoverFixture(kind)
{
    [Test]
    public async Task One_that_is_abandoned_or_renewed_has_ended_under_its_old_key_for_old_instances_too(
        [Values] RedisSessionMode mode, [Values] bool isTakenOver, [Values] bool isRenewed)
    {
        using var browser = await LeaveAsync();
        using var thief = browser.Twin();
        if (isTakenOver) await browser.At(Apps[mode]).VisitAsync(session => session.GetString("name"));
        await browser.At(Apps[mode]).VisitAsync(context => isRenewed ? context.RenewSessionAsync("ann") : context.AbandonSessionAsync());

        await CheckGoneAsync(thief, mode);
        Assert.That(await KeysAsync(thief.At(Old)), Is.Empty);
        if (isRenewed) await CheckKeptAsync(browser);

        // Whatever the old instance begins under the old cookie is its own.
        await thief.VisitAsync(session => session.SetString("name", "Eve"));
        await CheckGoneAsync(thief, mode);
    }

    [Test]
    public async Task One_that_is_ended_by_the_directory_stays_ended([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        string id = await browser.At(Apps[mode]).VisitAsync(session => session.IsAvailable ? session.Id : "");
        Assert.That(await Apps[mode].Directory.EndAsync(id), Is.True);
        await CheckGoneAsync(browser, mode);
    }

    [Test]
    public async Task One_that_has_expired_stays_expired_whatever_old_instances_write([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        await browser.At(Apps[mode]).VisitAsync(session => session.GetString("name"));
        await browser.At(Old).VisitAsync(session => session.SetString("name", "Bea"));
        await Redis.KeyDeleteAsync(HashKeyOf(browser));
        await CheckGoneAsync(browser.At(Apps[mode]), mode);
    }

    [Test]
    public async Task One_that_begins_anew_under_the_cookie_begins_empty([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        await browser.At(Apps[mode]).VisitAsync(session => session.GetString("name"));
        await Redis.KeyDeleteAsync(HashKeyOf(browser));
        await browser.VisitAsync(session => session.SetString("new", "1"));
        Assert.That(await KeysAsync(browser), Is.EqualTo(["new"]));
    }

    [Test]
    public async Task A_request_that_is_taking_it_over_while_it_is_taken_over_and_ends_does_not_bring_it_back(
        [Values] RedisSessionMode mode, [Values] bool blocks, [Values] bool isRenewed)
    {
        using var browser = await LeaveAsync();
        using var other = browser.Twin();
        async Task EndAsync()
        {
            await other.At(Apps[mode]).VisitAsync(session => session.GetString("name"));
            await other.VisitAsync(context => isRenewed ? context.RenewSessionAsync() : context.AbandonSessionAsync());
        }

        await using var late = await StartInterruptedAsync(mode, EndAsync);
        await browser.At(late).VisitAsync(async context =>
            Assert.That(blocks ? context.Session.GetString("name") : await context.Session.GetStrAsync("name"), Is.Null.Or.Empty));
        Assert.That(late.Logs.Of(SessionEvents.SessionTakenOver), Is.Empty);
        Assert.That(await Redis.HasNoSessionAsync(HashKeyOf(browser)), Is.True);
    }

    [Test]
    public async Task A_request_that_is_taking_it_over_while_it_is_abandoned_at_once_does_not_bring_it_back([Values] RedisSessionMode mode)
    {
        using var browser = await LeaveAsync();
        using var other = browser.Twin();
        await using var late = await StartInterruptedAsync(
            mode, () => other.At(Apps[mode]).VisitAsync(context => context.AbandonSessionAsync()));
        await browser.At(late).VisitAsync(async context => Assert.That(await context.Session.GetStrAsync("name"), Is.Empty));
        Assert.That(await Redis.KeyExistsAsync(HashKeyOf(browser)), Is.False);
    }

    [Test]
    public async Task A_mark_is_not_given_to_two_sessions_and_not_to_what_is_gone()
    {
        await using var connected = await Stack.StartAsync();
        var connection = connected.Services.GetRequiredService<RedisConnection>();
        await connection.GetDatabaseAsync();
        var left = new StockRedisSessions(connection, InstanceName);
        string key = Guid.NewGuid().ToString();
        Assert.That(await left.MarkAsync(key, "one", Waiting.Asynchronously), Is.True);
        Assert.That(await left.EndAsync(key, Waiting.Asynchronously), Is.False);
        Assert.That(await Redis.KeyExistsAsync(InstanceName + key), Is.False, "there was none");

        await Redis.HashSetAsync(InstanceName + key, "data", "blob");
        await Redis.KeyExpireAsync(InstanceName + key, TimeSpan.FromMinutes(1));
        Assert.That(await left.FindAsync(key, Waiting.Asynchronously), Has.Property("Blob").Not.Null);
        for (int i = 0; i < 2; i++) Assert.That(await left.MarkAsync(key, "one", Waiting.Asynchronously), Is.True);
        Assert.That(await left.MarkAsync(key, "two", Waiting.Asynchronously), Is.False);
        Assert.That(await left.FindAsync(key, Waiting.Asynchronously), Is.EqualTo(new FoundLeft(null, MayBeTaken: true)));
        Assert.That(await left.EndAsync(key, Waiting.Asynchronously), Is.True);
        Assert.That(await left.MarkAsync(key, "one", Waiting.Asynchronously), Is.False);
        Assert.That(await left.FindAsync(key, Waiting.Asynchronously), Is.EqualTo(new FoundLeft(null, MayBeTaken: false)));
        Assert.That(await Redis.KeyTimeToLiveAsync(InstanceName + key), Is.Not.Null);
    }

    /// <summary>In each way in which a request can first meet it.</summary>
    private async Task CheckGoneAsync(Browser browser, RedisSessionMode mode)
    {
        browser.At(Apps[mode]);
        await browser.VisitAsync(_ => { });
        Assert.That(await browser.VisitAsync(session => session.GetString("name")), Is.Null);
        Assert.That(await browser.VisitAsync(async context => await context.Session.GetStrAsync("name")), Is.Empty);
        Assert.That(await KeysAsync(browser), Is.Empty);
        Assert.That(await Redis.HasNoSessionAsync(HashKeyOf(browser)), Is.True);
    }

    /// <summary>An instance in which <paramref name="happens"/> between its look at the blob and its writing of the hash.</summary>
    private Task<TestApp> StartInterruptedAsync(RedisSessionMode mode, Func<Task> happens) => StartAsync(
        mode,
        options => options.ProtectValues = true,
        services =>
        {
            var before = services.Single(service => service.ServiceType == typeof(IDataProtectionProvider)).ImplementationInstance;
            services.AddSingleton<IDataProtectionProvider>(new InterruptedProtection((IDataProtectionProvider)before!, happens));
        });

    /// <summary>Something happens when the first value is protected, which is between the look and the write.</summary>
    private sealed class InterruptedProtection(IDataProtectionProvider cookies, Func<Task> happens) : IDataProtector
    {
        private Func<Task>? _happens = happens;

        public IDataProtector CreateProtector(string purpose) => purpose == "SessionMiddleware" ? cookies.CreateProtector(purpose) : this;

        public byte[] Protect(byte[] plaintext)
        {
            Interlocked.Exchange(ref _happens, null)?.Invoke().GetAwaiter().GetResult();
            return plaintext;
        }

        public byte[] Unprotect(byte[] protectedData) => protectedData;
    }
}
