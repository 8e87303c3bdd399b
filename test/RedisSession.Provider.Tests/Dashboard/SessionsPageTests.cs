using System.Text.Json;
using RedisSession.Provider.Dashboard;

namespace RedisSession.Provider.Tests;

/// <summary>What an operator sees and does.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class SessionsPageTests(ServerKind kind) : DashboardFixture(kind)
{
    private IDatabase _redis = null!;

    [OneTimeSetUp]
    public async Task Connect() => _redis = (await TestServers.GetAsync(Kind)).Admin.GetDatabase();

    [Test]
    public async Task Every_session_is_listed_with_its_user_its_keys_and_its_size()
    {
        await using var app = await DashboardApp.StartAsync(Kind);
        string first = await NewSessionAsync("ann", app: app);
        string second = await NewSessionAsync(app: app);
        using var @operator = new Operator(app);
        var pages = await @operator.LeafThroughAsync();
        Assert.That(pages.Select(page => page.Status), Is.All.EqualTo(HttpStatusCode.OK));
        Assert.That(pages.SelectMany(page => page.Ids).Distinct(), Is.EquivalentTo([first, second]));
        string row = RowOf(pages, first);
        Assert.That(row, Does.Contain("""<a href="?q=ann">ann</a>"""));
        Assert.That(row, Does.Match("""data-label="keys">2</td>\s*<td [^>]*data-label="size">[\d.]+ K?B</td>"""));
        const string Time = """<time datetime="[\d-]+T[\d:.]+Z" title="[\d :-]+ UTC">""";
        Assert.That(row, Does.Match($"""data-label="used">{Time}(just now|\d+ s ago)</time>"""));
        Assert.That(row, Does.Match($"""data-label="age">{Time}\d+ s</time>"""));
        Assert.That(row, Does.Match("""data-label="left"><time [^>]*>(19|20) min</time>"""));
        Assert.That(RowOf(pages, second), Does.Contain("anonymous"));
    }

    [Test]
    public async Task A_user_is_found_with_all_of_his_sessions_and_nobody_else()
    {
        string user = Somebody.New();
        string[] ids = [await NewSessionAsync(user), await NewSessionAsync(user)];
        await NewSessionAsync(user + " too");
        var page = await Operator.GetAsync(Find(user));
        Assert.That(page.Ids, Is.EquivalentTo(ids));
        Assert.That(page.Text, Does.Contain($"End {user}’s 2 sessions").And.Contain($"2 sessions of exactly “{user}”"));
    }

    [Test]
    public async Task A_session_is_found_by_its_id_and_by_what_a_page_shows_of_it_and_that_is_said([Values("", "…")] string rest)
    {
        string id = await NewSessionAsync();
        var page = await Operator.GetAsync(Find(id[..10] + rest));
        Assert.That(page.Ids, Is.EqualTo([id]));
        Assert.That(page.Text, Does.Contain($"1 session whose id begins with “{id[..10]}"));
        page = await Operator.GetAsync(Find(id));
        Assert.That(page.Ids, Is.EqualTo([id]));
        Assert.That(page.Text, Does.Contain("1 session with exactly this id"));
    }

    [Test]
    public async Task A_user_who_is_written_in_another_case_is_found_when_nobody_is_called_so([Values] bool isUsual)
    {
        string user = isUsual ? $"ann {Guid.NewGuid()}" : $"McDonald {Guid.NewGuid()}";
        string id = await NewSessionAsync(user);
        string search = user.ToUpperInvariant();
        var page = await Operator.GetAsync(Find(search));
        while (page.Ids.Count == 0) page = await Operator.GetAsync(page.Next!); // there may be more keys than one page looks at
        Assert.That(page.Ids, Is.EqualTo([id]));
        Assert.That(page.Text, Does.Contain($"No user is named exactly “{search}”").And.Contain(user));

        // Somebody is: the other one is somebody else.
        string other = await NewSessionAsync(search);
        page = await Operator.GetAsync(Find(search));
        Assert.That(page.Ids, Is.EqualTo([other]));
        Assert.That(page.Text, Does.Contain($"1 session of exactly “{search}”"));
    }

    [Test]
    public async Task Signed_in_and_anonymous_sessions_are_listed_apart([Values] bool signedIn)
    {
        await using var app = await DashboardApp.StartAsync(Kind);
        string first = await NewSessionAsync("ann", app: app);
        string second = await NewSessionAsync(app: app);
        using var @operator = new Operator(app);
        var pages = await @operator.LeafThroughAsync(signedIn ? "?who=users" : "?who=anonymous");
        Assert.That(pages.SelectMany(page => page.Ids).Distinct(), Is.EqualTo([signedIn ? first : second]));
    }

    [Test]
    public async Task Scripts_get_JSON_of_a_list_a_search_and_a_session_and_values_only_where_they_are_asked_for()
    {
        string user = Somebody.New();
        string id = await NewSessionAsync(user, session =>
        {
            session.SetString("secret", "swordfish");
            session.Set("blob", [0, 0xFF]);
        });
        using var found = await JsonAsync(Find(user));
        var one = found.RootElement.GetProperty("sessions").EnumerateArray().Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(found.RootElement.GetProperty("foundBy").GetString(), Is.EqualTo("User"));
            Assert.That(found.RootElement.TryGetProperty("next", out _), Is.False);
            Assert.That((one.GetProperty("id").GetString(), one.GetProperty("user").GetString()), Is.EqualTo((id, user)));
            Assert.That(one.GetProperty("keyCount").GetInt64(), Is.EqualTo(2));
            foreach (string moment in (string[])["lastUsed", "created", "expires"])
                Assert.That(one.GetProperty(moment).GetString(), Does.Match("^20[^+]+Z$"), moment);
        }

        using var hidden = await JsonAsync($"?session={id}");
        Assert.That(KeysOf(hidden), Is.EqualTo(Keys(("blob", "bytes", null, null), ("secret", "text", null, null))));
        Assert.That(LogsAbout(id, DashboardEvents.ValuesShown), Is.Empty);
        using var shown = await JsonAsync($"?session={id}&values=shown");
        Assert.That(KeysOf(shown), Is.EqualTo(Keys(("blob", "bytes", null, "AP8="), ("secret", "text", "swordfish", null))));
        Assert.That(LogsAbout(id, DashboardEvents.ValuesShown).Count(), Is.EqualTo(1));

        using var list = await JsonAsync("");
        Assert.That(list.RootElement.TryGetProperty("foundBy", out _), Is.False);
        using var missing = await JsonAsync("?session=x", HttpStatusCode.NotFound);
        Assert.That(missing.RootElement.GetProperty("error").GetString(), Is.EqualTo("No such session"));
        using var wrong = await JsonAsync("?after=x", HttpStatusCode.BadRequest);
        Assert.That(wrong.RootElement.GetProperty("error").GetString(), Is.EqualTo("No such page"));

        static (string, string, string?, string?)[] Keys(params (string, string, string?, string?)[] keys) => keys;

        static (string, string, string?, string?)[] KeysOf(JsonDocument session) =>
        [
            .. session.RootElement.GetProperty("keys").EnumerateArray().Select(key => (
                key.GetProperty("key").GetString()!, key.GetProperty("kind").GetString()!, TextIn(key, "value"), TextIn(key, "base64"))),
        ];

        static string? TextIn(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;
    }

    [Test]
    public async Task The_links_of_JSON_lead_through_the_whole_list()
    {
        await using var app = await DashboardApp.StartAsync(Kind);
        using var @operator = new Operator(app);
        string[] made = [await NewSessionAsync(app: app), await NewSessionAsync(app: app), await NewSessionAsync(app: app)];
        var seen = new HashSet<string>();
        for (string? next = ""; next is not null;)
        {
            using var document = await JsonAsync(next, of: @operator);
            foreach (var one in document.RootElement.GetProperty("sessions").EnumerateArray()) seen.Add(one.GetProperty("id").GetString()!);
            next = document.RootElement.TryGetProperty("next", out var link) ? link.GetString() : null;
        }

        Assert.That(seen, Is.EquivalentTo(made));
    }

    [Test]
    public async Task A_page_that_refreshes_itself_says_so_in_a_header_and_leads_to_itself()
    {
        var page = await Operator.GetAsync("?q=a%20b&refresh=15&ended=1&of=x");
        Assert.That(page.Headers.GetValues("Refresh"), Is.EqualTo(["15;url=?q=a%20b&by=user&refresh=15"]));
        Assert.That(page.Html, Does.Not.Contain("http-equiv"));
        Assert.That((await Operator.GetAsync("?refresh=1")).Headers.Contains("Refresh"), Is.False);
        Assert.That((await Operator.GetAsync("?refresh=5&session=x")).Headers.Contains("Refresh"), Is.False, "nothing to wait for");
    }

    [Test]
    public async Task Keys_that_expire_by_themselves_say_when()
    {
        using var browser = App.NewBrowser();
        bool isSupported = true;
        string id = await browser.VisitAsync(async context =>
        {
            context.Session.SetString("stays", "1");
            try
            {
                await context.Session.SetValueAsync("goes", "1", TimeSpan.FromMinutes(5));
            }
            catch (NotSupportedException)
            {
                isSupported = false; // Redis before 7.4
            }

            return context.Session.Id;
        });
        var page = await Operator.GetAsync($"?session={id}");
        Assert.That(page.Text.Contains("4 min", StringComparison.Ordinal), Is.EqualTo(isSupported));
        using var document = await JsonAsync($"?session={id}");
        var keys = document.RootElement.GetProperty("keys").EnumerateArray()
            .ToDictionary(key => key.GetProperty("key").GetString()!, key => key.TryGetProperty("expires", out _));
        var expected = new Dictionary<string, bool> { ["stays"] = false };
        if (isSupported) expected["goes"] = true;
        Assert.That(keys, Is.EquivalentTo(expected));
    }

    /// <summary>What it is about is not said in full where it is over.</summary>
    [Test]
    public async Task A_session_that_has_ended_has_a_page_that_says_so_and_leads_back()
    {
        string id = SessionId.Of("nobody's");
        var page = await Operator.GetAsync($"?session={id}&q=ann&sort=-age");
        Assert.That(page.Status, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(page.Text, Does.Contain(id).And.Contain("it has ended or expired"));
        Assert.That(page.Html, Does.Contain("<a href=\"?q=ann&amp;sort=-age\">Back to the list</a>"));
    }

    [Test]
    public async Task What_is_not_there_is_said()
    {
        var nothing = await Operator.GetAsync(Find("*"));
        Assert.That((nothing.Status, nothing.Ids.Count), Is.EqualTo((HttpStatusCode.OK, 0)));
        Assert.That(nothing.Text, Does.Contain("No live session has an id that is or begins with “*”"));
        Assert.That((await Operator.GetAsync("?session=x")).Status, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await Operator.GetAsync("?after=x")).Status, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Values_are_hidden_until_they_are_asked_for_and_then_readable()
    {
        string id = await NewSessionAsync(null, session =>
        {
            session.SetString("secret", "swordfish");
            session.SetValue("count", 42);
            session.SetValue("agreed", true);
            session.SetJson("cart", new Dictionary<string, int> { ["tea"] = 2 });
            session.Set("blob", [0, 1, 2, 0xFF]);
        });
        var hidden = await Operator.GetAsync($"?session={id}");
        foreach (string key in (string[])["secret", "count", "agreed", "cart", "blob"]) Assert.That(hidden.Text, Does.Contain(key));
        Assert.That(hidden.Html, Does.Not.Contain("swordfish").And.Not.Contain("<pre").And.Not.Contain("<code"));
        Assert.That(LogsAbout(id, DashboardEvents.ValuesShown), Is.Empty);

        var shown = await Operator.GetAsync($"?session={id}&values=shown");
        Assert.That(shown.Html, Does.Contain("<code>swordfish</code>").And.Contain("<code>42</code>").And.Contain("<code>True</code>"));
        Assert.That(WebUtility.HtmlDecode(shown.Html), Does.Contain("<code>{\"tea\":2}</code>").And.Contain("00 01 02 ff"));
        string[] types = ["text, 9 B", "number, 2 B", "bool, 4 B", "JSON, 9 B", "bytes, 4 B"];
        foreach (string type in types) Assert.That(shown.Text, Does.Contain(type));
        Assert.That(LogsAbout(id, DashboardEvents.ValuesShown).Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task Protected_values_are_shown_decrypted_and_those_that_cannot_be_are_counted()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await DashboardApp.StartAsync(Kind, prefix, configure: options => options.ProtectValues = true);
        string id = await NewSessionAsync(app: app);
        await _redis.HashSetAsync($"{prefix}sessions:{id}", "moved", (byte[])[.. "\0dp1"u8, 1, 2, 3]);
        using var @operator = new Operator(app);
        var page = await @operator.GetAsync($"?session={id}&values=shown");
        Assert.That(page.Html, Does.Contain("<code>ann</code>"));
        Assert.That(page.Text, Does.Contain("Not listed: 1 key"));
    }

    [Test]
    public async Task One_session_is_ended_and_its_browser_finds_nothing()
    {
        string user = Somebody.New();
        using var desk = App.NewBrowser();
        using var phone = App.NewBrowser();
        string ended = await desk.VisitAsAsync(user, Fill);
        string stays = await phone.VisitAsAsync(user, Fill);
        var page = await Operator.GetAsync(Find(user));
        Assert.That(page.Html, Does.Contain($"""name="end" value="{ended}">"""));
        var after = await Operator.FollowAsync(await Operator.PressAsync(page, "end", ended));
        Assert.That(after.Ids, Is.EqualTo([stays]), "it comes back to what was searched for");
        Assert.That(after.Text, Does.Match($"Session {ended[..10]}…\\s+ended."));
        Assert.That(await desk.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
        Assert.That(await phone.VisitAsync(session => session.Keys.ToArray()), Is.Not.Empty);
        Assert.That(LogsAbout(ended, DashboardEvents.SessionEnded).Single().Message, Does.Contain("(not signed in)"));

        var again = await Operator.FollowAsync(await Operator.PressAsync(page, "end", ended));
        Assert.That(again.Text, Does.Contain("There was nothing left to end."));
    }

    /// <summary>Names of any content: a form does not change them.</summary>
    [Test]
    public async Task All_sessions_of_a_user_end_and_nobody_elses([Values("{0}", "{0}\n<b>&\"'+% \u202E", " {0}\r\n")] string format)
    {
        string user = string.Format(System.Globalization.CultureInfo.InvariantCulture, format, Somebody.New());
        using var desk = App.NewBrowser();
        await desk.VisitAsAsync(user, Fill);
        await NewSessionAsync(user);
        string stays = await NewSessionAsync(user + ".");
        var page = await Operator.GetAsync(Find(user));
        string value = page.Html.Split("name=\"end-all\" value=\"")[1].Split('"')[0];
        var after = await Operator.FollowAsync(await Operator.PressAsync(page, "end-all", WebUtility.HtmlDecode(value)));
        Assert.That(after.Text, Does.Match(@"2 sessions of\s+.*\s+ended\."));
        Assert.That(after.Ids, Is.Empty);
        Assert.That(await desk.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
        Assert.That((await Operator.GetAsync(Find(stays))).Ids, Is.EqualTo([stays]));
        var logged = LogsAbout(user.Trim()[..30], DashboardEvents.UserSessionsEnded).Single();
        Assert.That(logged.Message, Does.EndWith(": 2.").And.Not.Contain("\n"), "a name cannot make a line of its own");
    }

    [Test]
    public async Task Looking_neither_renews_a_session_nor_begins_one()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var app = await DashboardApp.StartAsync(Kind, prefix);
        string id = await NewSessionAsync("ann", app: app);
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
        using var browser = App.NewBrowser();
        string user = Somebody.New();
        string id = await browser.VisitAsAsync(user, Fill);
        string cookie = Uri.UnescapeDataString(browser.SessionCookie!.Value);
        foreach (string query in (string[])[Find(user), $"?session={id}&values=shown"])
            Assert.That(WebUtility.HtmlDecode((await Operator.GetAsync(query)).Html), Does.Not.Contain(cookie), query);
    }

    [Test]
    public async Task A_session_without_expiry_and_age_is_borne()
    {
        string id = await NewSessionAsync();
        var key = (RedisKey)$"{KeyPrefix}sessions:{id}";
        await _redis.HashDeleteAsync(key, "@created");
        await _redis.KeyPersistAsync(key);
        var page = await Operator.GetAsync(Find(id));
        Assert.That(page.Text, Does.Contain("unknown").And.Contain("for ever"));
        await _redis.KeyDeleteAsync(key);
    }

    private static string Find(string search) => "?q=" + Uri.EscapeDataString(search);

    private async Task<JsonDocument> JsonAsync(string query, HttpStatusCode status = HttpStatusCode.OK, Operator? of = null)
    {
        var page = await (of ?? Operator).GetAsync(query, request => request.Headers.Accept.ParseAdd("application/json"));
        Assert.That((page.Status, page.ContentHeaders.ContentType!.MediaType), Is.EqualTo((status, "application/json")));
        Assert.That(page.Headers.CacheControl!.NoStore, Is.True);
        Assert.That(page.Html, Does.Not.Contain("antiforgery").IgnoreCase);
        return JsonDocument.Parse(page.Html);
    }

    private static string RowOf(IEnumerable<Operator.Page> pages, string id)
    {
        var page = pages.First(page => page.Ids.Contains(id));
        int at = page.Html.IndexOf($"?session={id}", StringComparison.Ordinal);
        return page.Html[at..page.Html.IndexOf("</tr>", at, StringComparison.Ordinal)];
    }
}
