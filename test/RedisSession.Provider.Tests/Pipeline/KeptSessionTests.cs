using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>
/// An application that keeps a session and uses it after its request, in a background task say. The request's context is gone by then, or
/// serves the next request of the same connection.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
[Parallelizable]
internal sealed class KeptSessionTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    protected override void Configure(RedisHashSessionOptions options) => options.FailureMode = FailureMode.Throw;

    [Test]
    public async Task It_can_be_written_and_committed_after_its_request([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        var kept = await KeepAsync(browser);
        kept.SetString("key", "new");
        await kept.CommitAsync();
        await kept.SetAsync("more", [1]);
        Assert.That(await browser.VisitAsync(session => session.Keys.ToArray()), Is.EquivalentTo(["key", "more"]));
        Assert.That(await browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"));
    }

    [Test]
    public async Task After_a_request_whose_writes_failed_it_still_tells_of_the_failure_and_of_nothing_else([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        var kept = await KeepAsync(browser, fails: true);
        Assert.That(() => kept.SetString("key", "new"), Throws.Nothing);
        Assert.That(async () => await kept.CommitAsync(), Throws.InstanceOf<RedisServerException>().With.Message.Contains("WRONGTYPE"));
    }

    [Test]
    public async Task The_next_request_of_the_same_connection_does_not_notice([Values] RedisSessionMode mode, [Values] bool fails)
    {
        using var browser = Apps[mode].NewBrowser();
        var kept = await KeepAsync(browser, fails);
        using var response = await browser.SendAsync(async context =>
        {
            await Task.Run(() => kept.SetString("key", "new"));
            await context.Response.WriteAsync("nothing to do with it");
        });
        Assert.That(response.IsSuccessStatusCode, Is.True);
    }

    /// <summary>
    /// The session of a request that is over; the writes of one that <paramref name="fails"/> have failed, and still would.
    /// </summary>
    private async Task<ISession> KeepAsync(Browser browser, bool fails = false)
    {
        string id = await browser.VisitAsync(session =>
        {
            session.SetString("key", "old");
            return session.Id;
        });
        if (fails)
        {
            await Redis.KeyDeleteAsync(Stack.KeyOf(id));
            await Redis.StringSetAsync(Stack.KeyOf(id), "no hash", TimeSpan.FromMinutes(5));
        }

        HttpContext request = null!;
        ISession kept = null!;
        await browser.VisitAsync(async context =>
        {
            (request, kept) = (context, context.Session);
            if (fails) Assert.That(async () => await context.Session.SetAsync("key", [1]), Throws.InstanceOf<RedisServerException>());
            await context.Response.WriteAsync("done");
        });
        Assert.That(() => IsOver(request), Is.True.After(5000, 1));
        return kept;
    }

    private static bool IsOver(HttpContext request)
    {
        try
        {
            return request.Features is null;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }
}
