using Microsoft.AspNetCore.WebUtilities;
using RedisSession.Provider.Dashboard;

namespace RedisSession.Provider.Tests;

/// <summary>What the address of a page says, and the links that follow from it; the pieces that need no server.</summary>
internal sealed class ViewTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 20, 0, 0, TimeSpan.Zero);

    [TestCase("?")]
    [TestCase("?session=x&values=shown&key=a%20b&q=ann")]
    [TestCase("?q=a%26b%3D%23%3Cx%3E&by=user&sort=-keys&page=3&after=12-0000dead&trail=2.7-0000dead.12-0000dead&refresh=15")]
    [TestCase("?who=anonymous&sort=user&hours=6&refresh=60&ended=2&of=ann")]
    [TestCase("?by=id&who=users")]
    public void What_an_address_says_is_what_its_link_says(string query) => Assert.That(Parse(query).ToLink(), Is.EqualTo(query));

    [TestCase("?by=x&who=nobody&sort=secret&page=-1&after=&trail=x&hours=5&refresh=1&ended=x&id=x&no=no")]
    [TestCase("?page=2147483647&trail=1.a&sort=-&refresh=99999999999&ended=-1")]
    [TestCase("?trail=2.<b>&page=1&sort=used&session=&q=")]
    [TestCase("?trail=2.")]
    public void What_makes_no_sense_is_not_said(string query) => Assert.That(Parse(query).ToLink(), Is.EqualTo("?"));

    [Test]
    public void Links_keep_how_it_is_shown_and_lose_what_has_happened()
    {
        var view = Parse("?q=ann&sort=age&refresh=5&ended=1&id=" + SessionId.Of("x"));
        Assert.That(
            (view.Of("y").ToLink(), view.All.ToLink(), view.Again.ToLink()),
            Is.EqualTo(("?session=y&q=ann&sort=age&refresh=5", "?sort=age&refresh=5", "?q=ann&sort=age&refresh=5")));
        Assert.That(view.Find("bob").ToLink(), Is.EqualTo("?q=bob&sort=age&refresh=5"));
        Assert.That(Parse("?who=users&page=2&after=7-0000dead&trail=2.7-0000dead").Find("bob").ToLink(), Is.EqualTo("?q=bob"));
        Assert.That((Parse("?").ToCsvLink(), view.ToCsvLink()), Is.EqualTo(("?format=csv", "?q=ann&sort=age&refresh=5&format=csv")));
    }

    [Test]
    public void A_trail_knows_the_way_back_and_what_is_behind_as_long_as_that_is_the_same()
    {
        var trail = Trail.None.With(2, "a").With(3, "b").With(4, "c");
        Assert.That(trail.ToString(), Is.EqualTo("2.a.b.c"));
        Assert.That(trail.With(3, "b"), Is.SameAs(trail), "one has gone back, and on again");
        Assert.That(trail.With(3, "B").ToString(), Is.EqualTo("2.a.B"), "what follows has changed");
        Assert.That(Enumerable.Range(0, 7).Where(trail.Knows), Is.EqualTo([1, 2, 3, 4]));
        Assert.That((trail.CursorOf(1), trail.CursorOf(4), trail.CursorOf(5)), Is.EqualTo(((string?)null, "c", (string?)null)));
        Assert.That(Trail.Parse(trail.ToString()).ToString(), Is.EqualTo("2.a.b.c"));
    }

    [Test]
    public void A_long_trail_forgets_its_beginning_but_the_first_page()
    {
        var trail = Trail.None;
        for (int page = 2; page <= 100; page++) trail = trail.With(page, $"{page}-0000dead");
        Assert.That(trail.Cursors, Has.Count.EqualTo(Trail.Longest));
        Assert.That((trail.First, trail.Last, trail.CursorOf(100)), Is.EqualTo((81, 100, "100-0000dead")));
        Assert.That(Trail.Parse(trail.ToString()).ToString(), Is.EqualTo(trail.ToString()));
        Assert.That(trail.Knows(1) && !trail.Knows(80), Is.True);
        Assert.That(Trail.None.With(7, "x").ToString(), Is.EqualTo("7.x"), "from an address without a trail");
    }

    [TestCase("used", "acb?"), TestCase("-used", "bca?"), TestCase("user", "bac?"), TestCase("keys", "cab?")]
    [TestCase("-size", "ba?c"), TestCase("left", "acb?"), TestCase("age", "bca?"), TestCase("-id", "cba?")]
    public void A_page_is_sorted_and_what_is_not_known_comes_last(string sort, string expected)
    {
        SessionInfo[] sessions =
        [
            new() { Id = "?", KeyCount = 9, SizeInBytes = 2, Expires = DateTimeOffset.MaxValue, Created = DateTimeOffset.UnixEpoch },
            Session("c", "zoe", idle: 2, age: 5, left: 2, keys: 1, size: null),
            Session("a", "Bob", idle: 1, age: 9, left: 1, keys: 2, size: 3),
            Session("b", "ann", idle: 3, age: 4, left: 3, keys: 3, size: 9),
        ];
        Assert.That(string.Concat(SortOrder.Parse(sort).Sort(sessions, Now).Select(session => session.Id)), Is.EqualTo(expected));
    }

    [Test]
    public void A_second_click_turns_an_order_round_and_what_is_large_comes_first() => Assert.That(
        new[] { SortOrder.Used, SortOrder.Size, SortOrder.User }.Select(column => SortOrder.Default.After(column).ToString()),
        Is.EqualTo(["-used", "-size", "user"]));

    [TestCase(5, true, null, "5 sessions", "all on this page")]
    [TestCase(5, true, 9, "5 sessions", "all on this page", Description = "the list knows better")]
    [TestCase(50, false, null, "at least 50 sessions", "not counted")]
    [TestCase(50, false, 3, "at least 50 sessions", "being counted")]
    [TestCase(50, false, 1234, "1,234 sessions", "counted 12 s ago")]
    [TestCase(1, true, null, "1 session", "all on this page")]
    public void The_number_of_sessions_agrees_with_the_list(int shown, bool isAll, int? counted, string text, string note)
    {
        SessionCount? last = counted is { } count ? new(Now.AddSeconds(-12), count) : null;
        Assert.That(Total.Of(shown, isAll, last, Now), Is.EqualTo(new Total(text, note)));
    }

    [TestCase(0, 1), TestCase(1, 1), TestCase(3, 4), TestCase(7, 8), TestCase(10, 10)]
    [TestCase(11, 20), TestCase(95, 100), TestCase(610, 800), TestCase(1_000_001, 2_000_000)]
    public void An_axis_ends_at_a_round_number(long highest, long top) => Assert.That(Nice.Top(highest), Is.EqualTo(top));

    [TestCase(50, "HH:mm:ss", "19:59:15 19:59:30 19:59:45 20:00:00")]
    [TestCase(55 * 60, "HH:mm", "19:15 19:30 19:45 20:00")]
    [TestCase(9 * 3600, "HH:mm", "12:00 14:00 16:00 18:00 20:00")]
    [TestCase(6 * 86400, "MMM d", "Nov 23 Nov 25 Nov 27")]
    [TestCase(365 * 86400, "MMM d", null)]
    public void Times_on_an_axis_are_round(int seconds, string format, string? expected)
    {
        var (moments, step) = Nice.Between(Now.AddSeconds(-seconds), Now, 5);
        Assert.That(moments, Has.Count.InRange(2, 5));
        if (expected is not null) Assert.That(string.Join(' ', moments.Select(at => CountPlot.Clock(at, step))), Is.EqualTo(expected));
        Assert.That(CountPlot.Clock(Now, step), Is.EqualTo(Now.ToString(format, CultureInfo.InvariantCulture)));
    }

    [Test]
    public void A_plot_has_levels_and_times_at_their_places()
    {
        string plot = CountPlot.Of([new(Now.AddHours(-4), 100), new(Now.AddHours(-2), 0), new(Now, 50)]).ToString();
        Assert.That(plot, Does.Contain("<polyline points=\"0,0 300,100 600,50\"/>"));
        foreach (string level in (string[])["y=\"12%\" dy=\"-.3em\">100<", "y=\"49%\" dy=\"-.3em\">50<", "y=\"86%\" dy=\"-.3em\">0<"])
            Assert.That(plot, Does.Contain(level));
        Assert.That(plot, Does.Contain("<text x=\"50%\" y=\"99%\" text-anchor=\"middle\">18:00</text>"));
        Assert.That(CountPlot.Of([new(Now, 1)]).ToString(), Is.Empty);
    }

    [Test]
    public void What_was_seen_is_summed_up()
    {
        SessionInfo[] sessions =
        [
            Session("a", "ann", idle: 0), Session("b", "ann", idle: 4), Session("c", null, idle: 4), Session("d", "bob", idle: 70),
            Session("e", "cid", idle: 14), Session("f", "cid", idle: 2), Session("g", "cid", idle: 0), new() { Id = "h" },
        ];
        var seen = SeenSessions.Of(sessions, isAll: false, Now);
        Assert.That((seen.Count, seen.SignedIn, seen.IsAll), Is.EqualTo((8, 6, false)));
        Assert.That(seen.Idle.Select(step => step.Count), Is.EqualTo([2, 3, 1, 0, 1]), "who does not tell is left out");
        Assert.That(seen.Users, Is.EqualTo([("cid", 3), ("ann", 2)]), "who has one has not the most");
        Assert.That(SeenSessions.Of([], true, Now).Idle, Has.Count.EqualTo(4));
    }

    [Test]
    public void Keys_are_in_the_order_in_which_people_count_and_filtered_in_any_case()
    {
        var values = new[] { "pref:10", "Pref:1", "pref:2", "a", "Z", "pref:02" }.ToDictionary(key => key, _ => default(SessionValue));
        var all = ShownKeys.Of(values, null, 500).Shown.Select(pair => pair.Key);
        Assert.That(all, Is.EqualTo(["a", "Pref:1", "pref:02", "pref:2", "pref:10", "Z"]));
        var some = ShownKeys.Of(values, "EF:", 2);
        Assert.That((some.Shown.Count, some.Matching, some.All), Is.EqualTo((2, 4, 6)));
    }

    [Test]
    public void A_file_has_no_formulas_and_its_quotes_are_doubled()
    {
        string id = "-" + SessionId.Of("x")[1..];
        const string Time = "2026-11-28T20:00:00.0000000Z";
        const string Formula = "=HYPERLINK(\"https://evil.example\")";
        SessionInfo[] sessions =
        [
            new() { Id = id, User = Formula, Created = Now, Expires = Now, LastUsed = Now, KeyCount = 2, SizeInBytes = 7 },
            new() { Id = id, User = "ann, \"the\"\nfirst", Created = DateTimeOffset.UnixEpoch, Expires = DateTimeOffset.MaxValue },
        ];
        Assert.That(SessionCsv.Of(sessions).Split("\r\n"), Is.EqualTo(
        [
            "id,user,lastUsed,created,expires,keyCount,sizeInBytes",
            $"{id},\"'=HYPERLINK(\"\"https://evil.example\"\")\",{Time},{Time},{Time},2,7",
            $"{id},\"ann, \"\"the\"\"\nfirst\",,,,0,",
            "",
        ]));
    }

    [TestCase(null, "Page"), TestCase("*/*", "Page")]
    [TestCase("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Page")]
    [TestCase("application/json", "Json")]
    [TestCase("application/json, */*;q=0.1", "Json")]
    [TestCase("application/json;q=0.5, text/html", "Page")]
    [TestCase("Application/JSON; charset=utf-8", "Json")]
    [TestCase("application/json;q=0", "Page"), TestCase("not a type;;;", "Page")]
    public void Who_prefers_JSON_gets_it(string? accept, string expected)
    {
        var context = new DefaultHttpContext { Request = { Method = HttpMethods.Get } };
        context.Request.Headers.Accept = accept;
        Assert.That(AnswerFormats.Of(context.Request).ToString(), Is.EqualTo(expected));
        context.Request.Method = HttpMethods.Post;
        Assert.That(AnswerFormats.Of(context.Request), Is.EqualTo(AnswerFormat.Page));
    }

    [Test]
    public void Markup_that_does_not_belong_there_is_not_made()
    {
        Assert.That(Markup.If(false, () => throw new InvalidOperationException()).ToString(), Is.Empty);
        Assert.That(Markup.If(true, () => Markup.Of($"<b>")).ToString(), Is.EqualTo("<b>"));
        Assert.That(Markup.If((string?)null, _ => throw new InvalidOperationException()).ToString(), Is.Empty);
        Assert.That(Markup.If("<", text => Markup.Of($"{text}")).ToString(), Is.EqualTo("&lt;"));
    }

    [TestCase("6quI38VHe_…", "6quI38VHe_"), TestCase(" abcd ", "abcd")]
    [TestCase("abc", null), TestCase("ann lee", null), TestCase("", null)]
    public void What_a_page_shows_of_an_id_is_its_beginning(string text, string? start) =>
        Assert.That(PublicId.StartIn(text), Is.EqualTo(start));

    private static View Parse(string query) => View.Parse(new QueryCollection(QueryHelpers.ParseQuery(query)));

    private static SessionInfo Session(
        string id, string? user, int idle, int age = 100, int left = 10, long keys = 1, long? size = 1) => new()
        {
            Id = id,
            User = user,
            KeyCount = keys,
            SizeInBytes = size,
            LastUsed = Now.AddMinutes(-idle),
            Created = Now.AddMinutes(-age),
            Expires = Now.AddMinutes(left),
        };
}
