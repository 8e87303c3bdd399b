namespace RedisSession.Provider.Tests;

/// <summary>
/// Sessions that are renewed, on one kind of server, in both ways in which the data can travel: Redis moves it itself, or, as between slots
/// of a cluster, it goes through the application in portions, as encrypted values have to.
/// </summary>
internal abstract class RenewalFixture(ServerKind kind, bool inPortions) : OwningFixture
{
    protected static IEnumerable<TestFixtureData> Ways() =>
        FullRun.Product(TestServers.Kinds, true, false).Select(fixture => new TestFixtureData(fixture.Kind, fixture.Other));

    protected OurStack Stack { get; } = new(kind);

    protected IDatabase Redis { get; private set; } = null!;

    protected TestApp App { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartApp()
    {
        Redis = await Stack.DatabaseAsync();
        App = Owned.Add(await Stack.StartAsync(Configure));
    }

    protected virtual void Configure(RedisHashSessionOptions options) => options.ProtectValues = inPortions;

    protected async Task<Browser> NewVisitorAsync(TestApp? app = null)
    {
        var browser = await (app ?? App).NewVisitorAsync(key: "cart", value: "full");
        await browser.SetStringAsync("more", "1");
        return browser;
    }

    /// <summary>The cookie of this browser leads to the whole session, and another with the same cookie finds the same.</summary>
    protected static async Task AssertWholeAsync(Browser browser, string because = "")
    {
        var found = await browser.VisitAsync(async context => (await context.Session.GetStrAsync("cart"), context.Session.GetStr("more")));
        Assert.That(found, Is.EqualTo(("full", "1")), because);
    }

    /// <summary>Of all sessions only these are left, apart from tombstones and what is parked; each has a TTL.</summary>
    protected Task UntilOnlyAsync(params string[] ids) => UntilOnlyAsync(Stack, ids);

    protected static async Task UntilOnlyAsync(OurStack stack, params string[] ids) =>
        await UntilOnlyAsync((await stack.ServerAsync()).Admin, stack.KeyPrefix, ids);

    protected static Task UntilOnlyAsync(IConnectionMultiplexer admin, string keyPrefix, params string[] ids) => Assert.ThatAsync(
        () => LiveSessionsAsync(admin, keyPrefix).AsTask(), Is.EquivalentTo(ids).After((int)Until.Patience.TotalMilliseconds, 20));

    private static ValueTask<string[]> LiveSessionsAsync(IConnectionMultiplexer admin, string keyPrefix) => admin.GetServers()[0]
        .KeysAsync(pattern: $"{keyPrefix}sessions:*", pageSize: 1000)
        .Where(async (RedisKey key, CancellationToken _) =>
            await admin.GetDatabase().HashGetAsync(key, "@gen") is { IsNull: false } generation && !Tombstone.Is(generation))
        .Select(key => key.ToString()[$"{keyPrefix}sessions:".Length..])
        .Where(id => SessionId.IsOne(id))
        .ToArrayAsync();
}
