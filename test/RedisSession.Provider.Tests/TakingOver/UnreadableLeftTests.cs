using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Where there is no session but something else in its place: an empty session and one entry in the log, never an exception.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class UnreadableLeftTests(ServerKind kind) : TakeoverFixture(kind)
{
    private static IEnumerable<TestCaseData> Blobs() =>
        from mode in Enum.GetValues<RedisSessionMode>()
        from blob in new (string Name, Func<byte[], byte[]> Change)[]
        {
            ("empty", _ => []),
            ("cut off", blob => blob[..^3]),
            ("cut off in its head", blob => blob[..10]),
            ("of another revision", blob => [1, .. blob[1..]]),
            ("longer than it says", blob => [.. blob, 0]),
            ("with a length that is not there", blob => [.. blob[..20], 0xff, 0xff, .. blob[22..]]),
            ("text", _ => "hello"u8.ToArray()),
            ("claiming millions of keys", blob => [blob[0], 0xff, 0xff, 0xff, .. blob[4..]]),
        }
        select new TestCaseData(mode, blob.Change).SetArgDisplayNames($"{mode}", blob.Name);

    [TestCaseSource(nameof(Blobs))]
    public async Task A_blob_that_is(RedisSessionMode mode, Func<byte[], byte[]> change)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        byte[] blob = (byte[])(await Redis.HashGetAsync(BlobKeyOf(browser), "data"))!;
        await Redis.HashSetAsync(BlobKeyOf(browser), "data", change(blob));
        await CheckBeginsEmptyAsync(browser.At(app), app);
        Assert.That((byte[]?)await Redis.HashGetAsync(BlobKeyOf(browser), "data"), Is.EqualTo(change(blob)), "who can read it still can");
    }

    [Test]
    public async Task A_key_that_is_no_hash([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        await Redis.KeyDeleteAsync(BlobKeyOf(browser));
        await Redis.StringSetAsync(BlobKeyOf(browser), "something else", TimeSpan.FromMinutes(1));
        await CheckBeginsEmptyAsync(browser.At(app), app);
        await browser.VisitAsync(context => context.RenewSessionAsync());
        await browser.VisitAsync(context => context.AbandonSessionAsync());
        Assert.That(app.Logs.All.Where(entry => entry.Level > LogLevel.Warning), Is.Empty);
    }

    [Test]
    public async Task A_hash_without_data_is_no_session([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode);
        using var browser = await LeaveAsync();
        await Redis.HashDeleteAsync(BlobKeyOf(browser), "data");
        Assert.That(await KeysAsync(browser.At(app)), Is.Empty);
        Assert.That(app.Logs.Of(SessionEvents.StockSessionUnreadable), Is.Empty);
        Assert.That(app.Logs.Of(SessionEvents.AccessingExpiredSession), Has.Count.EqualTo(1));
    }

    private async Task CheckBeginsEmptyAsync(Browser browser, TestApp app)
    {
        string id = await browser.VisitAsync(async context =>
        {
            var session = context.Session;
            Assert.That(await session.GetStrAsync("name"), Is.Empty);
            Assert.That(session.Keys, Is.Empty);
            await session.SetValueAsync("new", 1);
            return session.Id;
        });
        await browser.VisitAsync(session => Assert.That((session.GetInt("new"), session.Keys.Count()), Is.EqualTo((1, 1))));
        var logged = app.Logs.Of(SessionEvents.StockSessionUnreadable).Single();
        Assert.That((logged.Level, logged.Error), Is.EqualTo((LogLevel.Warning, (Exception?)null)));
        Assert.That(logged.Message, Does.Contain(id).And.Not.Contain(SessionKeyIn(browser)));

        // A blob that is passed over is not logged, or looked at, again.
        await Redis.KeyDeleteAsync(HashKeyOf(browser));
        if (await Redis.KeyTypeAsync(BlobKeyOf(browser)) != RedisType.Hash) return;
        await browser.VisitAsync(session => Assert.That(session.Keys, Is.Empty));
        Assert.That(app.Logs.Of(SessionEvents.StockSessionUnreadable), Has.Count.EqualTo(1));
    }
}
