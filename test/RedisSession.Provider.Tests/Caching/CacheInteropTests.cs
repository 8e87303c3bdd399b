using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider.Tests;

/// <summary>RedisCache and ours on the same entries, as during a deployment: each reads, renews and removes what the other wrote.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class CacheInteropTests(ServerKind kind)
{
    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(30);
    private static readonly byte[] Value = [1, 2, 3];

    private readonly string _instanceName = CacheStack.NewInstanceName();
    private RunningCache _theirs = null!;
    private RunningCache _ours = null!;
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _theirs = await CacheStack.OfStock(kind).StartAsync(_instanceName);
        _ours = await CacheStack.OfOurs(kind).StartAsync(_instanceName);
        _redis = (await TestServers.GetAsync(kind)).Admin.GetDatabase();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _theirs.DisposeAsync();
        await _ours.DisposeAsync();
    }

    private static IEnumerable<TestCaseData> Expirations()
    {
        TestCaseData Case(string name, Func<DistributedCacheEntryOptions> options, int? afterSet, int? afterUse) =>
            new TestCaseData(options, Minutes(afterSet), Minutes(afterUse)).SetArgDisplayNames(name);
        var hour = TimeSpan.FromHours(1);
        yield return Case("none", () => new(), null, null);
        yield return Case("absolute", () => new() { AbsoluteExpiration = DateTimeOffset.UtcNow.AddHours(3) }, 180, 1);
        yield return Case("from now", () => new() { AbsoluteExpirationRelativeToNow = TenMinutes }, 10, 1);
        yield return Case("sliding", () => new() { SlidingExpiration = TenMinutes }, 10, 10);
        yield return Case(
            "sliding, with a far end", () => new() { SlidingExpiration = TenMinutes, AbsoluteExpirationRelativeToNow = hour }, 10, 10);
        yield return Case(
            "sliding, with a near end", () => new() { SlidingExpiration = hour, AbsoluteExpirationRelativeToNow = TenMinutes }, 10, 10);

        static TimeSpan? Minutes(int? minutes) => minutes is { } count ? TimeSpan.FromMinutes(count) : null;
    }

    [TestCaseSource(nameof(Expirations))]
    public async Task What_one_wrote_the_other_reads_and_renews(
        Func<DistributedCacheEntryOptions> options, TimeSpan? afterSet, TimeSpan? afterUse)
    {
        foreach (var (writer, reader) in BothWays)
        {
            foreach (var access in Enum.GetValues<CacheAccess>())
            {
                string key = NewKey();
                await access.SetAsync(writer, key, Value, options());
                await RequireTimeToLiveAsync(key, afterSet);

                foreach (var use in new Func<Task>[]
                {
                    async () => Assert.That(await access.GetAsync(reader, key), Is.EqualTo(Value)),
                    () => access.RefreshAsync(reader, key),
                })
                {
                    if (afterSet is not null) await _redis.KeyExpireAsync(_instanceName + key, TimeSpan.FromMinutes(1)); // time passes
                    await use();
                    await RequireTimeToLiveAsync(key, afterUse);
                }

                await access.RemoveAsync(reader, key);
                Assert.That(await access.GetAsync(writer, key), Is.Null);
            }
        }
    }

    [Test]
    public async Task Both_write_the_same_fields([Values] bool absolute, [Values] bool sliding, [Values(10, 10_000)] int length)
    {
        byte[] value = new byte[length];
        var options = new DistributedCacheEntryOptions
        {
            AbsoluteExpiration = absolute ? new DateTimeOffset(2100, 1, 2, 3, 4, 5, 678, TimeSpan.Zero) : null,
            SlidingExpiration = sliding ? TimeSpan.FromTicks(6_000_000_001) : null,
        };
        string key = NewKey();
        await _theirs.Cache.SetAsync(key, value, options);
        var theirs = await FieldsAsync(key);
        await _ours.Cache.RemoveAsync(key);
        await _ours.Cache.SetAsync(key, value, options);
        Assert.That(await FieldsAsync(key), Is.EquivalentTo(theirs));
        await _ours.Cache.RemoveAsync(key);
    }

    [Test]
    public async Task What_one_replaced_the_other_reads()
    {
        foreach (var (writer, reader) in BothWays)
        {
            string key = NewKey();
            await reader.SetAsync(key, [9], new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1) });
            await writer.SetAsync(key, Value, new() { SlidingExpiration = TenMinutes });
            Assert.That(await reader.GetAsync(key), Is.EqualTo(Value));
            await RequireTimeToLiveAsync(key, TenMinutes);
        }
    }

    [Test]
    public async Task What_one_wrote_for_a_time_the_other_finds_no_longer_after_it()
    {
        foreach (var (writer, reader) in BothWays)
        {
            foreach (var options in new DistributedCacheEntryOptions[]
            {
                new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromSeconds(1) },
                new() { SlidingExpiration = TimeSpan.FromSeconds(1) },
                new() { SlidingExpiration = TenMinutes, AbsoluteExpirationRelativeToNow = TimeSpan.FromSeconds(1) },
            })
            {
                string key = NewKey();
                await writer.SetAsync(key, Value, options);
                if (options.SlidingExpiration > TimeSpan.FromSeconds(1)) await reader.GetAsync(key); // moves the end no further
                Assert.That(async () => await _redis.KeyExistsAsync(_instanceName + key), Is.False.After(10_000, 20));
                Assert.That(await reader.GetAsync(key), Is.Null);
            }
        }
    }

    [Test]
    public async Task Sessions_of_AddSession_go_on_from_one_to_the_other()
    {
        string configuration = (await TestServers.GetAsync(kind)).ConfigurationString;
        string instanceName = CacheStack.NewInstanceName();
        await using var theirs = await TestApp.StartAsync(services => services.AddSession()
            .AddStackExchangeRedisCache(options => (options.Configuration, options.InstanceName) = (configuration, instanceName)));
        await using var ours = await TestApp.StartAsync(services => services.AddSession()
            .AddRedisHashCache(options => (options.Configuration, options.InstanceName) = (configuration, instanceName)));

        using var browser = await theirs.NewVisitorAsync(key: "began", value: "there");
        await CommittedAsync(browser, "began");
        browser.At(ours);
        await browser.VisitAsync(session =>
        {
            Assert.That(session.GetString("began"), Is.EqualTo("there"));
            session.SetString("went on", "here");
        });
        await CommittedAsync(browser, "went on");
        browser.At(theirs);
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["began", "went on"]));
    }

    // AddSession commits after the response.
    private static Task CommittedAsync(Browser browser, string key) =>
        Until.TrueAsync($"{key} is committed", async () => await browser.VisitAsync(session => session.GetString(key)) is not null);

    private IEnumerable<(IBufferDistributedCache Writer, IBufferDistributedCache Reader)> BothWays =>
        [(_theirs.Cache, _ours.Cache), (_ours.Cache, _theirs.Cache)];

    private static string NewKey() => Guid.NewGuid().ToString("N");

    private async Task RequireTimeToLiveAsync(string key, TimeSpan? expected)
    {
        var left = await _redis.KeyTimeToLiveAsync(_instanceName + key);
        if (expected is { } time) Assert.That(left, Is.EqualTo(time).Within(Tolerance));
        else Assert.That(left, Is.Null);
    }

    private async Task<IReadOnlyList<(string, string)>> FieldsAsync(string key) =>
    [
        .. from field in await _redis.HashGetAllAsync(_instanceName + key)
           select (field.Name.ToString(), Convert.ToHexString((byte[])field.Value!)),
    ];
}
