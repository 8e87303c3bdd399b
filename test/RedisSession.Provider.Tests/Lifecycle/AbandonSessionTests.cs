namespace RedisSession.Provider.Tests;

/// <summary>The end of a session, at sign-out.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class AbandonSessionTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    [Test]
    public async Task The_hash_is_gone_and_the_cookie_expires_in_the_response([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode);
        string id = browser.SessionId;
        using var response = await browser.SendAsync(context => context.AbandonSessionAsync());
        Assert.That(response.Headers.GetValues("Set-Cookie").Single(), Does.StartWith(".AspNetCore.Session=; expires=Thu, 01 Jan 1970"));
        Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(id)), Is.False);
        Assert.That(browser.SessionCookie, Is.Null);

        Assert.That(await browser.NewSessionAsync(), Is.Not.EqualTo(id));
    }

    [Test]
    public async Task What_the_request_reads_and_writes_afterwards_finds_nothing_and_changes_nothing([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode);
        var key = KeyOf(browser);
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("before", "dropped");
            await context.AbandonSessionAsync();
            Assert.That(context.Session.Keys, Is.Empty);
            Assert.That(context.Session.GetString("before"), Is.Null);
            Assert.That(await context.Session.IsNoneAsync("key"), Is.True);
            context.Session.SetString("after", "refused");
            Assert.That(() => context.Session.SetAsync("after", [1]), Throws.InstanceOf<SessionEndedException>());
        });
        Assert.That(await Redis.KeyExistsAsync(key), Is.False);
    }

    [Test]
    public async Task Requests_in_flight_do_not_bring_it_back([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode);
        var key = KeyOf(browser);
        using var other = browser.Twin();
        await other.VisitAsync(async context =>
        {
            Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("old"));
            await browser.VisitAsync(abandoning => abandoning.AbandonSessionAsync());
            context.Session.SetString("late", "1");
        });
        Assert.That(await Redis.KeyExistsAsync(key), Is.False);
    }

    /// <summary>As where old code clears the session behind a handler that abandons it, or TempData was read: removing is done already.</summary>
    [Test]
    public async Task What_is_removed_afterwards_is_no_failure([Values] RedisSessionMode mode, [Values] bool clears, [Values] bool sets)
    {
        await using var app = await StartAsync(mode, options => options.FailureMode = FailureMode.Throw);
        using var browser = await app.NewVisitorAsync();
        var key = KeyOf(browser);
        using var response = await browser.SendAsync(async context =>
        {
            await context.AbandonSessionAsync();
            if (sets) context.Session.SetString("key", "refused");
            if (clears) context.Session.Clear();
            else context.Session.Remove("other");
            if (!sets) await context.Session.CommitAsync();
            await context.Session.RemoveAsync("third");
        });
        Assert.That(response.StatusCode, Is.EqualTo(sets && !clears ? HttpStatusCode.InternalServerError : HttpStatusCode.OK));
        Assert.That(await Redis.KeyExistsAsync(key), Is.False);
    }

    [Test]
    public async Task After_the_response_has_started_the_hash_still_goes()
    {
        using var browser = await App.NewVisitorAsync();
        await browser.VisitAsync(async context =>
        {
            await context.Response.WriteAsync("started");
            await context.AbandonSessionAsync();
        });
        Assert.That(await Redis.KeyExistsAsync(KeyOf(browser)), Is.False);
    }

    [Test]
    public async Task Abandoned_after_it_was_renewed_the_cookie_expires_and_both_keys_are_gone()
    {
        using var browser = await App.NewVisitorAsync();
        RedisKey[] keys = [KeyOf(browser), ""];
        await browser.VisitAsync(async context =>
        {
            await context.RenewSessionAsync();
            keys[1] = Stack.KeyOf(context.Session.Id);
            await context.AbandonSessionAsync();
        });
        Assert.That(browser.SessionCookie, Is.Null);
        Assert.That(await Redis.KeyExistsAsync(keys), Is.Zero);
    }

    [Test]
    public async Task Without_a_session_there_is_nothing_to_do()
    {
        using var browser = App.NewBrowser();
        using var response = await browser.SendAsync(context => context.AbandonSessionAsync());
        Assert.That(response.Headers.Contains("Set-Cookie"), Is.False);
    }
}
