using System.Net;
using Microsoft.AspNetCore.Http;
using RedisSession.Provider.Dashboard;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>What an operator sees and does.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable(ParallelScope.All)]
internal sealed class SessionsPageTests(ServerKind kind)
{
    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private TestApp _app = null!;
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _app = await DashboardApp.StartAsync(kind, _keyPrefix);
        _redis = (await TestServers.GetAsync(kind)).Admin.GetDatabase();
    }

    [OneTimeTearDown]
    public async Task Stop() => await _app.DisposeAsync();

    [Test]
    public async Task Every_session_is_listed_with_its_user_its_keys_and_its_size()
    {
        await using var app = await DashboardApp.StartAsync(kind);
        using var ann = app.NewBrowser();
        using var nobody = app.NewBrowser();
        string first = await ann.VisitAsAsync("ann", Fill);
        string second = await nobody.VisitAsync(Fill);
        using var @operator = new Operator(app);
        var pages = await @operator.LeafThroughAsync();
        Assert.That(pages.Select(page => page.Status), Is.All.EqualTo(HttpStatusCode.OK));
        Assert.That(pages.SelectMany(page => page.Ids).Distinct(), Is.EquivalentTo([first, second]));
        string row = RowOf(pages, first);
        Assert.That(row, Does.Contain("""<a href="?q=ann">ann</a>"""));
        Assert.That(row, Does.Match("""data-label="keys">2</td>\s*<td [^>]*data-label="size">[\d.]+ K?B</td>"""));
        Assert.That(row, Does.Match("""data-label="used"><time datetime="[\d-]+T[\d:.]+Z" title="[\d :-]+ UTC">(just now|\d+ s ago)</time>"""));
        Assert.That(row, Does.Match("""data-label="age"><time datetime="[\d-]+T[\d:.]+Z" title="[\d :-]+ UTC">\d+ s</time>"""));
        Assert.That(row, Does.Match("""data-label="left"><time [^>]*>(19|20) min</time>"""));
        Assert.That(RowOf(pages, second), Does.Contain("anonymous"));
    }

    [Test]
    public async Task A_user_is_found_with_all_of_his_sessions_and_nobody_else()
    {
        string user = NewUser();
        using var desk = _app.NewBrowser();
        using var phone = _app.NewBrowser();
        using var other = _app.NewBrowser();
        string[] ids = [await desk.VisitAsAsync(user, Fill), await phone.VisitAsAsync(user, Fill)];
        await other.VisitAsAsync(user + " too", Fill);
        using var @operator = new Operator(_app);
        var page = await @operator.GetAsync(Find(user));
        Assert.That(page.Ids, Is.EquivalentTo(ids));
        Assert.That(page.Text, Does.Contain($"End {user}’s 2 sessions").And.Contain($"2 sessions of exactly “{user}”"));
    }

    [Test]
    public async Task A_session_is_found_by_its_id()
    {
        using var browser = _app.NewBrowser();
        string id = await browser.VisitAsync(Fill);
        using var @operator = new Operator(_app);
        Assert.That((await @operator.GetAsync(Find(id))).Ids, Is.EqualTo([id]));
    }

    [Test]
    public async Task What_is_not_there_is_said()
    {
        using var @operator = new Operator(_app);
        var nothing = await @operator.GetAsync(Find("*"));
        Assert.That((nothing.Status, nothing.Ids.Count), Is.EqualTo((HttpStatusCode.OK, 0)));
        Assert.That(nothing.Text, Does.Contain("No live session has an id that is or begins with “*”"));
        Assert.That((await @operator.GetAsync("?session=x")).Status, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await @operator.GetAsync("?after=x")).Status, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Values_are_hidden_until_they_are_asked_for_and_then_readable()
    {
        using var browser = _app.NewBrowser();
        string id = await browser.VisitAsync(session =>
        {
            session.SetString("secret", "swordfish");
            session.SetValue("count", 42);
            session.SetValue("agreed", true);
            session.SetJson("cart", new Dictionary<string, int> { ["tea"] = 2 });
            session.Set("blob", [0, 1, 2, 0xFF]);
            return session.Id;
        });
        using var @operator = new Operator(_app);
        var hidden = await @operator.GetAsync($"?session={id}");
        foreach (string key in (string[])["secret", "count", "agreed", "cart", "blob"]) Assert.That(hidden.Text, Does.Contain(key));
        Assert.That(hidden.Html, Does.Not.Contain("swordfish").And.Not.Contain("<pre").And.Not.Contain("<code"));
        Assert.That(_app.Logs.Of(DashboardEvents.ValuesShown).Where(entry => Names(entry, id)), Is.Empty);

        var shown = await @operator.GetAsync($"?session={id}&values=shown");
        Assert.That(shown.Html, Does.Contain("<code>swordfish</code>").And.Contain("<code>42</code>").And.Contain("<code>True</code>"));
        Assert.That(WebUtility.HtmlDecode(shown.Html), Does.Contain("<code>{\"tea\":2}</code>").And.Contain("00 01 02 ff"));
        string[] types = ["text, 9 B", "number, 2 B", "bool, 4 B", "JSON, 9 B", "bytes, 4 B"];
        foreach (string type in types) Assert.That(shown.Text, Does.Contain(type));
        Assert.That(_app.Logs.Of(DashboardEvents.ValuesShown).Count(entry => Names(entry, id)), Is.EqualTo(1));
    }

    [Test]
    public async Task Protected_values_are_shown_decrypted_and_those_that_cannot_be_are_counted()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await DashboardApp.StartAsync(kind, prefix, configure: options => options.ProtectValues = true);
        using var browser = app.NewBrowser();
        string id = await browser.VisitAsync(Fill);
        await _redis.HashSetAsync($"{prefix}sessions:{id}", "moved", (byte[])[0, (byte)'d', (byte)'p', (byte)'1', 1, 2, 3]);
        using var @operator = new Operator(app);
        var page = await @operator.GetAsync($"?session={id}&values=shown");
        Assert.That(page.Html, Does.Contain("<code>ann</code>"));
        Assert.That(page.Text, Does.Contain("Not listed: 1 key"));
    }

    [Test]
    public async Task One_session_is_ended_and_its_browser_finds_nothing()
    {
        string user = NewUser();
        using var desk = _app.NewBrowser();
        using var phone = _app.NewBrowser();
        string ended = await desk.VisitAsAsync(user, Fill);
        string stays = await phone.VisitAsAsync(user, Fill);
        using var @operator = new Operator(_app);
        var page = await @operator.GetAsync(Find(user));
        Assert.That(page.Html, Does.Contain($"""name="end" value="{ended}">"""));
        var after = await @operator.FollowAsync(await @operator.PressAsync(page, "end", ended));
        Assert.That(after.Ids, Is.EqualTo([stays]), "it comes back to what was searched for");
        Assert.That(after.Text, Does.Match($"Session {ended[..10]}…\\s+ended."));
        Assert.That(await desk.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
        Assert.That(await phone.VisitAsync(session => session.Keys.ToArray()), Is.Not.Empty);
        var logged = _app.Logs.Of(DashboardEvents.SessionEnded).Where(entry => Names(entry, ended)).ToArray();
        Assert.That(logged, Has.Length.EqualTo(1));
        Assert.That(logged[0].Message, Does.Contain("(not signed in)"));

        var again = await @operator.FollowAsync(await @operator.PressAsync(page, "end", ended));
        Assert.That(again.Text, Does.Contain("There was nothing left to end."));
    }

    /// <summary>Names of any content: a form does not change them.</summary>
    [Test]
    public async Task All_sessions_of_a_user_end_and_nobody_elses([Values("{0}", "{0}\n<b>&\"'+% \u202E", " {0}\r\n")] string format)
    {
        string user = string.Format(System.Globalization.CultureInfo.InvariantCulture, format, NewUser());
        using var desk = _app.NewBrowser();
        using var phone = _app.NewBrowser();
        using var other = _app.NewBrowser();
        await desk.VisitAsAsync(user, Fill);
        await phone.VisitAsAsync(user, Fill);
        string stays = await other.VisitAsAsync(user + ".", Fill);
        using var @operator = new Operator(_app);
        var page = await @operator.GetAsync(Find(user));
        string value = page.Html.Split("name=\"end-all\" value=\"")[1].Split('"')[0];
        var after = await @operator.FollowAsync(await @operator.PressAsync(page, "end-all", WebUtility.HtmlDecode(value)));
        Assert.That(after.Text, Does.Match(@"2 sessions of\s+.*\s+ended\."));
        Assert.That(after.Ids, Is.Empty);
        Assert.That(await desk.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
        Assert.That((await @operator.GetAsync(Find(stays))).Ids, Is.EqualTo([stays]));
        string mark = user.Trim()[..30];
        var logged = _app.Logs.Of(DashboardEvents.UserSessionsEnded).Single(entry => Names(entry, mark));
        Assert.That(logged.Message, Does.EndWith(": 2.").And.Not.Contain("\n"), "a name cannot make a line of its own");
    }

    [Test]
    public async Task Looking_neither_renews_a_session_nor_begins_one()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await DashboardApp.StartAsync(kind, prefix);
        using var browser = app.NewBrowser();
        string id = await browser.VisitAsAsync("ann", Fill);
        var key = (RedisKey)$"{prefix}sessions:{id}";
        await _redis.KeyExpireAsync(key, TimeSpan.FromMinutes(5));
        using var @operator = new Operator(app);
        foreach (string query in (string[])["", "?q=ann", $"?q={id}", $"?session={id}", $"?session={id}&values=shown", "?after=0-00000000"])
        {
            var page = await @operator.GetAsync(query);
            Assert.That(page.Status, Is.EqualTo(HttpStatusCode.OK), query);
            var cookies = page.Headers.TryGetValues("Set-Cookie", out var set) ? set : [];
            Assert.That(cookies, Has.None.Contains(".AspNetCore.Session"), query);
        }

        Assert.That(await _redis.KeyTimeToLiveAsync(key), Is.LessThanOrEqualTo(TimeSpan.FromMinutes(5)));
        Assert.That((await @operator.LeafThroughAsync()).SelectMany(page => page.Ids).Distinct(), Is.EqualTo([id]));
    }

    [Test]
    public async Task The_secret_in_the_cookie_is_nowhere_on_a_page()
    {
        using var browser = _app.NewBrowser();
        string user = NewUser();
        string id = await browser.VisitAsAsync(user, Fill);
        string cookie = Uri.UnescapeDataString(browser.SessionCookie!.Value);
        using var @operator = new Operator(_app);
        foreach (string query in (string[])[Find(user), $"?session={id}&values=shown"])
        {
            Assert.That(WebUtility.HtmlDecode((await @operator.GetAsync(query)).Html), Does.Not.Contain(cookie), query);
        }
    }

    [Test]
    public async Task A_session_without_expiry_and_age_is_borne()
    {
        using var browser = _app.NewBrowser();
        string id = await browser.VisitAsync(Fill);
        var key = (RedisKey)$"{_keyPrefix}sessions:{id}";
        await _redis.HashDeleteAsync(key, "@created");
        await _redis.KeyPersistAsync(key);
        using var @operator = new Operator(_app);
        var page = await @operator.GetAsync(Find(id));
        Assert.That(page.Text, Does.Contain("unknown").And.Contain("for ever"));
        await _redis.KeyDeleteAsync(key);
    }

    private static string Fill(ISession session)
    {
        session.SetString("name", "ann");
        session.SetValue("visits", 1);
        return session.Id;
    }

    private static string NewUser() => $"user {Guid.NewGuid()}";

    private static string Find(string search) => "?q=" + Uri.EscapeDataString(search);

    private static bool Names(RecordedLogs.Entry entry, string id) => entry.Message.Contains(id, StringComparison.Ordinal);

    private static string RowOf(IEnumerable<Operator.Page> pages, string id)
    {
        var page = pages.First(page => page.Ids.Contains(id));
        int at = page.Html.IndexOf($"?session={id}", StringComparison.Ordinal);
        return page.Html[at..page.Html.IndexOf("</tr>", at, StringComparison.Ordinal)];
    }
}
