namespace RedisSession.Provider.Tests;

/// <summary>
/// An ended session stays ended: a request that saw it writes nothing, neither to it nor to what lives under its key now.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class EndedSessionTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    private static IEnumerable<TestCaseData> Writes()
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            TestCaseData Case(string name, Func<ISession, Task> write) => new TestCaseData(mode, write).SetArgDisplayNames(mode.ToString(), name);
            yield return Case("set", session => Task.Run(() => session.SetString("late", "1")));
            yield return Case("clear and set", session => Task.Run(() => { session.Clear(); session.SetString("late", "1"); }));
            yield return Case("set after the snapshot", async session => { await session.LoadAsync(); session.SetString("late", "1"); });
        }
    }

    [TestCaseSource(nameof(Writes))]
    public async Task A_request_that_saw_the_session_does_not_bring_it_back_by(RedisSessionMode mode, Func<ISession, Task> write)
    {
        using var browser = await NewVisitorAsync(mode);
        string id = browser.SessionId;
        await browser.VisitAsync(async context =>
        {
            Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("old"));
            await Redis.KeyDeleteAsync(Stack.KeyOf(id));
            await write(context.Session);
            var error = await Assert.ThrowsAsync<SessionEndedException>(() => context.Session.CommitAsync());
            Assert.That(error!.SessionId, Is.EqualTo(id));

            // It says so each time, and the session reads as the empty one that it is.
            Assert.That(async () => await context.Session.SetAsync("late", [1]), Throws.InstanceOf<SessionEndedException>());
            Assert.That(await context.Session.IsNoneAsync("key"), Is.True);
        });
        Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(id)), Is.False);
        Assert.That(Apps[mode].Logs.Of(SessionEvents.WriteRefused).Select(entry => entry.Message), Has.Some.Contains(id));
    }

    [TestCaseSource(nameof(Writes))]
    public async Task A_request_that_saw_the_session_does_not_write_into_a_new_one_under_its_key_by(RedisSessionMode mode, Func<ISession, Task> write)
    {
        using var browser = await NewVisitorAsync(mode);
        await browser.VisitAsync(async context =>
        {
            _ = await context.Session.GetStrAsync("key");
            await Redis.KeyDeleteAsync(KeyOf(browser));
            await browser.SetStringAsync("fresh", "1");
            await Assert.ThrowsAsync<SessionEndedException>(async () =>
            {
                await write(context.Session); // may see for itself that the session is another one
                await context.Session.CommitAsync();
            });
            Assert.That(await context.Session.IsNoneAsync("fresh"), Is.True, "nor does it read the new one");
        });
        Assert.That((await Redis.HashKeysAsync(KeyOf(browser))).Select(field => (string?)field), Is.EquivalentTo(["@gen", "@created", "fresh"]));
    }

    [Test]
    public async Task A_response_does_not_claim_what_was_refused_with_FailureMode_Throw([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode, options => options.FailureMode = FailureMode.Throw);
        using var browser = await app.NewVisitorAsync();
        using var response = await browser.SendAsync(async context =>
        {
            _ = await context.Session.GetStrAsync("key");
            await Redis.KeyDeleteAsync(KeyOf(browser));
            context.Session.SetString("late", "1");
            await context.Response.WriteAsync("stored");
        });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
    }

    [Test]
    public async Task A_session_that_was_absent_when_the_request_looked_may_be_created([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode);
        await Redis.KeyDeleteAsync(KeyOf(browser));
        await browser.VisitAsync(async context =>
        {
            Assert.That(await context.Session.IsNoneAsync("key"), Is.True);
            await browser.SetStringAsync("other", "1");
            context.Session.SetString("own", "2");
        });
        Assert.That(await browser.ContentAsync(), Is.EqualTo("other=1 own=2"));
    }
}
