using System.Net;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Sessions that are renewed, on one kind of server, in both ways in which the data can travel: Redis moves it itself, or, as between slots
/// of a cluster, it goes through the application in portions, as encrypted values have to.
/// </summary>
internal abstract class RenewalFixture(ServerKind kind, bool inPortions)
{
    protected static IEnumerable<TestFixtureData> Ways() =>
        from fixture in FullRun.Product(TestServers.Kinds, true, false)
        select new TestFixtureData(fixture.Kind, fixture.Other);

    protected OurStack Stack { get; } = new(kind);

    protected IDatabase Redis { get; private set; } = null!;

    protected TestApp App { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartApp()
    {
        Redis = await Stack.DatabaseAsync();
        App = await Stack.StartAsync(Configure);
    }

    [OneTimeTearDown]
    public async Task StopApp() => await App.DisposeAsync();

    protected virtual void Configure(RedisHashSessionOptions options) => options.ProtectValues = inPortions;

    protected static Task<string> NewSessionAsync(Browser browser) => browser.VisitAsync(session =>
    {
        session.SetString("cart", "full");
        session.SetString("more", "1");
        return session.Id;
    });

    protected async Task<Browser> NewVisitorAsync(TestApp? app = null)
    {
        var browser = (app ?? App).NewBrowser();
        await NewSessionAsync(browser);
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

    protected static async Task UntilOnlyAsync(IConnectionMultiplexer admin, string keyPrefix, params string[] ids)
    {
        string[] found = [];
        try
        {
            await Until.TrueAsync("the others are removed", async () =>
            {
                found = await LiveSessionsAsync(admin, keyPrefix);
                return found.Order(StringComparer.Ordinal).SequenceEqual(ids.Order(StringComparer.Ordinal));
            });
        }
        catch (TimeoutException error) when (error is not RedisTimeoutException)
        {
            Assert.That(found, Is.EquivalentTo(ids));
        }
    }

    private static ValueTask<string[]> LiveSessionsAsync(IConnectionMultiplexer admin, string keyPrefix) => admin.GetServers()[0]
        .KeysAsync(pattern: $"{keyPrefix}sessions:*", pageSize: 1000)
        .Where(async (RedisKey key, CancellationToken _) =>
            await admin.GetDatabase().HashGetAsync(key, "@gen") is { IsNull: false } generation && !Tombstone.Is(generation))
        .Select(key => key.ToString()[$"{keyPrefix}sessions:".Length..])
        .Where(id => SessionId.IsOne(id))
        .ToArrayAsync();

    /// <summary>The cookie that a response names, for a visitor whose browser takes it.</summary>
    protected static Cookie? CookieIn(HttpResponseMessage response) =>
        !response.Headers.TryGetValues("Set-Cookie", out var cookies) ? null : cookies
            .Where(text => text.StartsWith(".AspNetCore.Session=", StringComparison.Ordinal))
            .Select(text => new Cookie(".AspNetCore.Session", text.Split('=', 2)[1].Split(';')[0]))
            .SingleOrDefault();
}
