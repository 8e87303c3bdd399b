using System.Text.Json;
using Microsoft.AspNetCore.Http.Features.Authentication;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Whose session it is, by itself and by RenewSessionAsync, and that it is in its user's list as soon as a response could tell anybody.
/// Lists are read by another connection than the application's.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class UserBindingTests(ServerKind kind) : BothModesFixture(kind)
{
    private static readonly (string? User, bool IsAutomatic) Nobody = (null, false);

    private static IEnumerable<TestCaseData> Uses()
    {
        TestCaseData Use(string name, Func<ISession, Task> use) => new TestCaseData(use).SetArgDisplayNames(name);
        yield return Use("reads", session => Task.FromResult(session.GetString("key")));
        yield return Use("reads asynchronously", async session => await session.GetStrAsync("key"));
        yield return Use("lists the keys", session => Task.FromResult(session.Keys.Count()));
        yield return Use("sets", session => Task.Run(() => session.SetString("key", "new")));
        yield return Use("sets asynchronously", session => session.SetAsync("key", [1]));
        yield return Use("removes", session => Task.Run(() => session.Remove("key")));
        yield return Use("clears", session => Task.Run(session.Clear));
        yield return Use("reads and sets", session => Task.Run(() => session.SetString("key", session.GetString("key") + ".")));
        yield return Use("increments", session => session.IncrementAsync("n"));
        yield return Use("tries to set", session => session.TrySetAsync("n", [1]));
    }

    /// <summary>At the instance where it began, and at another that does not know it.</summary>
    [TestCaseSource(nameof(Uses))]
    public async Task A_session_becomes_that_of_the_user_whose_request_first(Func<ISession, Task> use)
    {
        foreach (var (mode, app) in Apps)
        {
            await using var other = await Stack.StartAsync(options => options.Mode = mode);
            foreach (var instance in new[] { app, other })
            {
                string user = Somebody.New();
                using var browser = await app.NewVisitorAsync();
                await browser.At(instance).VisitAsync(context => { context.SignIn(user); return use(context.Session); });
                await AssertIsOfAsync(user, browser.SessionId, $"{mode}, at {(instance == app ? "its instance" : "another one")}");
            }
        }
    }

    [Test]
    public async Task A_new_session_is_that_of_the_user_whose_request_began_it([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(user);
        await AssertIsOfAsync(user, browser.SessionId);
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
    }

    [Test]
    public async Task So_it_is_when_an_atomic_change_began_it([Values] RedisSessionMode mode, [Values] bool expired)
    {
        string user = Somebody.New();
        using var browser = Apps[mode].NewBrowser();
        if (expired) await Redis.KeyDeleteAsync(Stack.KeyOf(await browser.NewSessionAsync(user)));
        await browser.VisitAsync(async context => { context.SignIn(user); await context.Session.IncrementAsync("n"); });
        await AssertIsOfAsync(user, browser.SessionId);
    }

    [Test]
    public async Task A_session_that_expired_and_begins_anew_in_a_request_that_has_read_it_is_its_users([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        using var browser = await NewVisitorAsync(mode);
        string id = browser.SessionId;
        await Redis.KeyDeleteAsync(KeyOf(browser));
        await browser.VisitAsAsync(user, session =>
        {
            Assert.That(session.GetString("key"), Is.Null);
            session.SetString("key", "new");
        });
        await AssertIsOfAsync(user, id);
        for (int i = 0; i < 20; i++) // what is taken out of a list in the background has been taken out by then
        {
            Assert.That(await Stack.UserListAsync(user), Is.EqualTo([id]));
            await Task.Yield();
        }
    }

    [Test]
    public async Task A_session_that_was_ended_a_moment_ago_and_begins_anew_is_its_users([Values] RedisSessionMode mode)
    {
        for (int round = 0; round < 50; round++)
        {
            string user = Somebody.New();
            using var browser = await Apps[mode].NewVisitorAsync(user);
            await Redis.KeyDeleteAsync(KeyOf(browser));
            await browser.VisitAsAsync(user, session => session.SetString("key", "new"));
            await AssertIsOfAsync(user, browser.SessionId);
        }
    }

    [Test]
    public async Task Reading_a_session_that_is_not_there_leaves_nothing([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync();
        var key = Stack.KeyOf(browser.SessionId);
        await Redis.KeyDeleteAsync(key);
        await browser.VisitAsAsync(user, session => Assert.That(session.GetString("key"), Is.Null));
        await UntilNoListAsync(user);
        Assert.That(await Redis.KeyExistsAsync(key), Is.False);
    }

    [Test]
    public async Task Of_two_users_in_turn_the_later_one_has_the_session_each_time([Values] RedisSessionMode mode)
    {
        string[] users = [Somebody.New(), Somebody.New()];
        using var browser = await Apps[mode].NewVisitorAsync();
        for (int turn = 0; turn < 6; turn++)
        {
            string user = users[turn % 2];
            await browser.VisitAsAsync(user, session => session.GetString("key"));
            await AssertIsOfAsync(user, browser.SessionId);
            await browser.GetStringAsync("key"); // nobody's request takes nothing away
            Assert.That(await BindingAsync(browser.SessionId), Is.EqualTo((user, true)));
            await UntilNoListAsync(users[(turn + 1) % 2]);
        }
    }

    [Test]
    public async Task Whom_the_application_has_bound_no_request_replaces([Values] RedisSessionMode mode)
    {
        string user = Somebody.New(), other = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(other);
        string id = await browser.RenewAsync(user);
        for (int i = 0; i < 3; i++)
        {
            await browser.VisitAsAsync(other, session => session.GetString("key"));
            await browser.VisitAsAsync(other, session => session.SetString("key", "new"));
            await AssertIsOfAsync(user, id, isAutomatic: false);
        }

        await UntilNoListAsync(other);
    }

    [Test]
    public async Task Whom_parallel_requests_could_not_bind_keeps_none_of_their_entries([Values] RedisSessionMode mode)
    {
        string user = Somebody.New(), other = Somebody.New();
        using var browser = Apps[mode].NewBrowser();
        string id = await browser.RenewAsync(user);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => browser.VisitAsAsync(other, session => session.GetString("key"))));
        Assert.That(await BindingAsync(id), Is.EqualTo((user, false)));
        await UntilNoListAsync(other);
    }

    [Test]
    public async Task Renewing_the_key_moves_the_entry_in_the_list([Values] RedisSessionMode mode, [Values] bool byName)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(user);
        string id = await browser.RenewAsync(byName ? user : null);
        Assert.That(await Stack.UserListAsync(user), Does.Contain(id));
        Assert.That(await BindingAsync(id), Is.EqualTo((user, !byName)));
        await Until.TrueAsync("the old id is gone", async () => (await Stack.UserListAsync(user)).SequenceEqual([id]));

        string last = await browser.RenewAsync(Somebody.New());
        Assert.That(last, Is.Not.EqualTo(id));
        await UntilNoListAsync(user);
    }

    [Test]
    public async Task A_session_stays_its_users_when_it_is_cleared([Values] bool byName)
    {
        string user = Somebody.New();
        using var browser = App.NewBrowser();
        string id = await browser.NewSessionAsync(user, byName);
        await browser.VisitAsync(session => session.Clear());
        Assert.That(await BindingAsync(id), Is.EqualTo((user, !byName)));
    }

    [Test]
    public async Task An_abandoned_session_leaves_its_list([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        using var browser = await Apps[mode].NewVisitorAsync(user);
        await browser.VisitAsync(async context =>
        {
            context.SignIn(user);
            _ = context.Session.GetString("key");
            await context.AbandonSessionAsync();
        });
        await UntilNoListAsync(user);
    }

    // Shown as JSON: a filter does not find a NUL or half a pair in the name of a test.
    private static IEnumerable<TestCaseData> OddNames() => new[]
    {
        " ", "{a}", "a}b{c", "\r\n\t\0", "'); redis.call('FLUSHALL') --", "@user", "😀é語", "*?[a-z]\\", new string('x', 100_000),
        "half \uD83D a pair",
    }.Select(name => new TestCaseData(name).SetArgDisplayNames(JsonSerializer.Serialize(name[..Math.Min(name.Length, 30)])));

    [TestCaseSource(nameof(OddNames))]
    public async Task A_user_may_have_any_name(string name)
    {
        name += Somebody.New();
        string asItComesBack = name.Replace('\uD83D', name.Contains("half", StringComparison.Ordinal) ? '\uFFFD' : '\uD83D');
        foreach (bool byName in new[] { false, true })
        {
            using var browser = App.NewBrowser();
            string id = await browser.NewSessionAsync(name, byName);
            var found = await Directory.FindByUserAsync(name).SingleAsync();
            Assert.That((found.Id, found.User), Is.EqualTo((id, asItComesBack)));
            Assert.That(await Directory.EndAllForUserAsync(name), Is.EqualTo(1));
        }
    }

    [Test]
    public async Task Nobody_has_an_empty_name()
    {
        using var browser = App.NewBrowser();
        string id = await browser.NewSessionAsync("");
        Assert.That(await BindingAsync(id), Is.EqualTo(Nobody));
        await browser.VisitAsync(async context =>
        {
            Assert.That(
                async () => await context.RenewSessionAsync(""),
                Throws.ArgumentException.With.Property(nameof(ArgumentException.ParamName)).EqualTo("user"));
            Assert.That(context.Session.Id, Is.EqualTo(id));
        });
    }

    [Test]
    public async Task Who_is_not_authenticated_is_nobody_and_nobody_is_made_up()
    {
        using var browser = App.NewBrowser();
        await browser.VisitAsync(async context =>
        {
            context.SignIn("ann", authenticationType: null);
            await context.Session.SetAsync("key", "old"u8.ToArray());
        });
        Assert.That(await BindingAsync(browser.SessionId), Is.EqualTo(Nobody));
        await browser.VisitAsync(async context =>
        {
            Assert.That(await context.Session.GetStrAsync("key"), Is.EqualTo("old"));
            Assert.That(context.Features.Get<IHttpAuthenticationFeature>()?.User, Is.Null);
        });
    }

    [Test]
    public async Task An_application_says_by_itself_who_a_request_is([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        await using var app = await StartAsync(mode, context => context.Request.Headers.Host.ToString() + user);
        using var browser = await app.NewVisitorAsync("ann");
        Assert.That(await BindingAsync(browser.SessionId), Is.EqualTo((app.Address.Authority + user, true)));
    }

    [Test]
    public async Task It_may_keep_that_in_the_session_itself([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        await using var app = await StartAsync(mode, context => context.Session.GetString("signed in"));
        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("signed in", user));
        await browser.VisitAsync(session => Assert.That(session.GetString("signed in"), Is.EqualTo(user)));
        await AssertIsOfAsync(user, browser.SessionId);
    }

    [Test]
    public async Task With_no_UserIdentifier_only_the_application_binds([Values] RedisSessionMode mode)
    {
        string user = Somebody.New();
        await using var app = await StartAsync(mode, userIdentifier: null);
        using var browser = await app.NewVisitorAsync("ann");
        Assert.That(await BindingAsync(browser.SessionId), Is.EqualTo(Nobody));
        string id = await browser.RenewAsync(user);
        Assert.That(await Stack.UserListAsync(user), Does.Contain(id));
    }

    [Test]
    public async Task A_UserIdentifier_that_throws_is_logged_and_the_session_works([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(mode, _ => throw new InvalidTimeZoneException("Odd."));
        using var browser = await app.NewVisitorAsync();
        Assert.That(await browser.GetStringAsync("key"), Is.EqualTo("old"));
        Assert.That(await BindingAsync(browser.SessionId), Is.EqualTo(Nobody));
        var errors = app.Logs.Of(SessionEvents.UserUnknown).Select(entry => entry.Error);
        Assert.That(errors, Is.Not.Empty.And.All.InstanceOf<InvalidTimeZoneException>());
    }

    [Test]
    public async Task Who_is_authenticated_behind_a_load_is_known_all_the_same([Values] bool writes)
    {
        await using var app = await new OurStack(Stack.Server, Pipeline.UseRedisHashSessionLoadingAhead, Stack.KeyPrefix).StartAsync();
        string user = Somebody.New();
        using var browser = await app.NewVisitorAsync();
        await browser.VisitAsAsync(user, session =>
        {
            Assert.That(session.GetString("key"), Is.EqualTo("old"));
            if (writes) session.SetString("key", "new");
        });
        await Until.TrueAsync("it is bound", async () => await BindingAsync(browser.SessionId) == (user, true));
        Assert.That(await Stack.UserListAsync(user), Is.EqualTo([browser.SessionId]));
    }

    [Test]
    public async Task Where_the_list_cannot_be_kept_the_session_works_and_the_next_request_tries_again([Values] RedisSessionMode mode)
    {
        await using var app = await Stack.StartAsync(options => (options.Mode, options.FailureMode) = (mode, FailureMode.Throw));
        string user = Somebody.New();
        var list = Stack.UserKeyOf(user);
        await Redis.StringSetAsync(list, "no list", TimeSpan.FromMinutes(5));
        using var browser = app.NewBrowser();
        string id = await browser.NewSessionAsync(user);
        Assert.That(await browser.VisitAsAsync(user, session => session.GetString("key")), Is.EqualTo("old"));
        Assert.That(app.Logs.Of(SessionEvents.ListingFailed), Is.Not.Empty);
        await browser.VisitAsync(async context =>
        {
            await Assert.ThatAsync(() => context.RenewSessionAsync(user), Throws.InstanceOf<RedisServerException>());
            Assert.That(context.Session.Id, Is.EqualTo(id));
            context.Session.SetString("key", "new");
        });

        await Redis.KeyDeleteAsync(list);
        Assert.That(await browser.VisitAsAsync(user, session => session.GetString("key")), Is.EqualTo("new"));
        Assert.That(await Stack.UserListAsync(user), Is.EqualTo([id]));
    }

    private Task<TestApp> StartAsync(RedisSessionMode mode, Func<HttpContext, string?>? userIdentifier) => Stack.StartAsync(options =>
        (options.Mode, options.FailureMode, options.UserIdentifier) = (mode, FailureMode.Throw, userIdentifier));

    private async Task AssertIsOfAsync(string user, string id, string because = "", bool isAutomatic = true)
    {
        using var both = Assert.EnterMultipleScope();
        Assert.That(await Stack.UserListAsync(user), Is.EqualTo([id]), Because);
        Assert.That(await BindingAsync(id), Is.EqualTo((user, isAutomatic)), Because);

        string Because() =>
            string.Join('\n', [because, .. Apps.Values.SelectMany(app => app.Logs.Of(SessionEvents.ListingFailed)).Select(entry => entry.Error)]);
    }

    private async Task<(string? User, bool IsAutomatic)> BindingAsync(string id)
    {
        var fields = await Redis.HashGetAsync(Stack.KeyOf(id), ["@user", "@auto"]);
        return (fields[0], fields[1] == "1");
    }

    private Task UntilNoListAsync(string user) => Until.TrueAsync("the list is gone", async () => (await Stack.UserListAsync(user)).Length == 0);
}
