using System.Buffers.Text;
using System.Security.Cryptography;
using NUnit.Framework.Constraints;

namespace RedisSession.Provider.Tests;

/// <summary>Where ours differs from stock AddSession on purpose, each with what stock does beside it.</summary>
[TestFixtureSource(typeof(SessionStack), nameof(SessionStack.All))]
internal sealed class SessionDifferenceTests(SessionStack stack)
{
    private TestApp _app = null!;

    [OneTimeSetUp]
    public async Task StartApp() => _app = await stack.StartAsync();

    [OneTimeTearDown]
    public async Task StopApp() => await _app.DisposeAsync();

    [Test]
    public async Task Of_64_parallel_requests_that_each_set_a_key_all_survive_where_stock_keeps_one()
    {
        const int Count = 64;
        using var browser = await _app.NewVisitorAsync(key: "start", value: "1");

        // All have begun, and on stock loaded, before the first ends.
        var allHaveSet = new TaskCompletionSource();
        int set = 0;
        await Task.WhenAll(Enumerable.Range(0, Count).Select(i => browser.VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            context.Session.SetInt32($"key{i}", i);
            if (Interlocked.Increment(ref set) == Count) allHaveSet.SetResult();
            await allHaveSet.Task;
        })));

        // Stock's commits come after the responses: its count is read when it has settled.
        int expected = stack.IsStock ? 2 : Count + 1;
        Assert.That(async () => await browser.VisitAsync(session => session.Keys.Count()), Is.EqualTo(expected).After(5000, 20));
    }

    [Test]
    public async Task A_change_is_in_the_store_before_the_response_starts_where_stock_writes_after_it()
    {
        using var browser = await _app.NewVisitorAsync(key: "key", value: "old");
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("key", "new");
            await context.Response.WriteAsync("started");
            Assert.That(await browser.GetStringAsync("key"), Is.EqualTo(stack.IsStock ? "old" : "new"));
        });
    }

    [Test]
    public async Task The_id_is_the_hash_of_the_session_key_where_stock_makes_one_up()
    {
        using var browser = _app.NewBrowser();
        string id = await browser.SetStringAsync("key", "1");
        string sessionKey = TestApp.SessionKeyIn(browser.SessionCookie!.Value);
        string hash = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(sessionKey)));
        Assert.That(sessionKey, Has.Length.EqualTo(36));
        Assert.That(id, stack.IsStock ? Is.Not.EqualTo(hash) : Is.EqualTo(hash));
    }

    [Test]
    public async Task Keys_may_be_enumerated_while_the_session_changes_where_stock_throws()
    {
        using var browser = await _app.NewVisitorAsync(key: "a", value: "1");
        await browser.SetStringAsync("b", "2");
        await browser.VisitAsync(session =>
        {
            void AddWhileEnumerating()
            {
                foreach (string key in session.Keys) session.SetString(key + "'", "3");
            }

            Assert.That(AddWhileEnumerating, stack.IsStock ? Throws.InvalidOperationException : Throws.Nothing);
        });
    }

    [Test]
    public async Task Asynchronous_members_are_for_our_sessions_and_say_so_on_others()
    {
        using var browser = _app.NewBrowser();
        await browser.VisitAsync(async context =>
        {
            if (stack.IsStock)
            {
                ReusableConstraint cure = Throws.InvalidOperationException.With.Message.Contains("AddRedisHashSession");
                Assert.That(async () => await context.Session.ReadAsync("key"), cure);
                Assert.That(async () => await context.Session.SetAsync("key", []), cure);
            }
            else
            {
                await context.Session.SetAsync("key", [1]);
                Assert.That((await context.Session.ReadAsync("key")).Raw, Is.EqualTo(new byte[] { 1 }));
            }
        });
    }
}
