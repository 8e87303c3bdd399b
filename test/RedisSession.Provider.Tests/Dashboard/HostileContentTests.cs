using System.Text.RegularExpressions;
using RedisSession.Provider.Dashboard;

namespace RedisSession.Provider.Tests;

/// <summary>Keys, values and users of any content: shown, and harmless.</summary>
internal sealed class HostileContentTests() : DashboardFixture(ServerKind.Garnet)
{
    private static readonly string[] Hostile =
    [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' autofocus onfocus='alert(1)", "</style><script>alert(1)</script>",
        "</pre></td></table><form action=https://evil.example>", "<!--", "]]>", "javascript:alert(1)", "&lt;b&gt;", "＜script＞",
        "{{constructor.constructor('alert(1)')()}}",
    ];

    [TestCaseSource(nameof(Hostile))]
    public async Task Markup_stays_text_wherever_it_is(string hostile)
    {
        string user = $"{Guid.NewGuid():N}"[..8] + hostile;
        string id = await NewSessionAsync(user, session => Put(session, hostile));
        string? skeleton = null;
        foreach (string query in (string[])["?q=" + Uri.EscapeDataString(user), $"?session={id}", $"?session={id}&values=shown"])
        {
            var page = await Operator.GetAsync(query);
            Assert.That(page.Status, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(page.Text, Does.Contain(hostile), query);
            if (hostile.AsSpan().ContainsAny('<', '"', '\'')) Assert.That(page.Html, Does.Not.Contain(hostile), query);
            skeleton = page.Html;
        }

        // The tags are the same as those of a page on which everything is harmless.
        string other = await NewSessionAsync($"{Guid.NewGuid()}", session => Put(session, "harmless"));
        string expected = (await Operator.GetAsync($"?session={other}&values=shown")).Html;
        Assert.That(Tags(skeleton!), Is.EqualTo(Tags(expected)));

        static void Put(ISession session, string text)
        {
            session.SetString(text, text);
            session.SetJson("json", new[] { text });
        }
    }

    /// <summary>Servers and proxies refuse addresses of more than eight thousand characters, and one Han character takes nine.</summary>
    [Test]
    public async Task A_user_whose_name_is_too_long_for_an_address_is_shown_and_ended()
    {
        string user = $"{Guid.NewGuid():N}" + new string('漢', 1_000);
        string id = await NewSessionAsync(user, session => session.SetString("key", "1"));
        var page = await Operator.GetAsync($"?session={id}");
        Assert.That(page.Text, Does.Contain(user[..40]));
        Assert.That(Regex.Matches(page.Html, "href=\"[^\"]*").Max(link => link.Length), Is.LessThan(3_000));
        var ended = await Operator.FollowAsync(await Operator.PressAsync(page, "end-all", FormToken.EncodeUser(user)));
        Assert.That(ended.Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(ended.Text, Does.Contain(user[..40]));
        Assert.That(await App.Directory.GetAsync(id), Is.Null);
    }

    private static string[] Tags(string html) => [.. Regex.Matches(html, "<[a-z/!][a-z]*").Select(tag => tag.Value)];

    [TestCase("\u202Eevil\u2066", "‹U+202E›evil‹U+2066›")]
    [TestCase("a\u0000b\u001Bc\u0085", "a‹U+0000›b‹U+001B›c‹U+0085›")]
    [TestCase("two\nlines", "two‹U+000A›lines"), TestCase("zero\u200Bwidth\uFEFF", "zero‹U+200B›width‹U+FEFF›")]
    [TestCase("\u2028", "‹U+2028›"), TestCase("Ådа 😀", "Ådа 😀"), TestCase("ann\u3164", "ann‹U+3164›")]
    [TestCase("ann\uFE00\uFE0F", "ann‹U+FE00›‹U+FE0F›")]
    [TestCase("a\u034Fnn", "a‹U+034F›nn"), TestCase("ann\U000E0100\U000E01EF\U000E0041", "ann‹U+E0100›‹U+E01EF›‹U+E0041›")]
    [TestCase("\u2800\u115F\u1160\uFFA0", "‹U+2800›‹U+115F›‹U+1160›‹U+FFA0›")]
    [TestCase("\u17B4\u17B5\u180B\u180F\U0001D159", "‹U+17B4›‹U+17B5›‹U+180B›‹U+180F›‹U+1D159›")]
    [TestCase("a\u00A0b\u2003c\u3000d e", "a‹U+00A0›b‹U+2003›c‹U+3000›d e"), TestCase("\u0301a", "‹U+0301›a")]
    [TestCase("a\u0301\u0302\u0303\u0304\u0305\u0306b\u0301", "a\u0301\u0302\u0303\u0304‹U+0305›‹U+0306›b\u0301")]
    [TestCase("a\u200B\u0301", "a‹U+200B›‹U+0301›")]
    [TestCase("tiếng Việt, עִבְרִית, हिन्दी, ไทยที่", "tiếng Việt, עִבְרִית, हिन्दी, ไทยที่")]
    public void What_cannot_be_seen_is_spelled_out(string text, string shown) => Assert.That(ShownText.Line(text), Is.EqualTo(shown));

    /// <summary>What Unicode says is not to be seen, all of it.</summary>
    [Test]
    public void Nothing_that_is_ignored_by_default_is_shown_as_it_is()
    {
        (int First, int Last)[] ignorable =
        [
            (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F),
            (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8),
            (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
        ];
        var shown = ignorable.SelectMany(range => Enumerable.Range(range.First, range.Last - range.First + 1))
            .Where(one => !ShownText.Line($"a{char.ConvertFromUtf32(one)}").Contains("U+", StringComparison.Ordinal));
        Assert.That(shown, Is.Empty);
    }

    [Test]
    public void Long_lines_are_cut_and_no_character_in_two()
    {
        Assert.That(ShownText.Line(new string('x', 1000)), Has.Length.EqualTo(81).And.EndWith("x…"));
        Assert.That(ShownText.Line("12345678😀90", 9), Is.EqualTo("12345678😀…"));
        Assert.That(ShownText.Line("exactly", 7), Is.EqualTo("exactly"));
    }

    [TestCase("", "empty", ""), TestCase("abc", "text", "abc")]
    [TestCase("two\r\nlines\t", "text", "two\r\nlines\t")]
    [TestCase("42", "number", "42"), TestCase("-1.5e3", "number", "-1.5e3"), TestCase("007", "number", "007")]
    [TestCase("1,5", "text", "1,5"), TestCase("True", "bool", "True"), TestCase("yes", "text", "yes")]
    [TestCase("[1,{\"a\":\"<b>ö\"}]", "JSON", "[\n  1,\n  {\n    \"a\": \"<b>ö\"\n  }\n]")]
    [TestCase("{\"a\":1", "text", "{\"a\":1")]
    [TestCase("{\"\\ud800\":\"\\udfff\"}", null, null)]
    [TestCase("\u202Eevil", "text", "‹U+202E›evil")]
    [TestCase("[\"\u202E\"]", "JSON", null)]
    public void A_value_is_shown_as_what_it_looks_like(string text, string? kind, string? shown)
    {
        var value = ShownValue.Of(Encoding.UTF8.GetBytes(text));
        if (kind is not null) Assert.That(value.Kind, Is.EqualTo(kind));
        if (shown is not null) Assert.That(value.Text, Is.EqualTo(shown));
        Assert.That(value.Text.Contains('\u202E', StringComparison.Ordinal), Is.False);
    }

    [Test]
    public void Bytes_are_shown_in_hexadecimal()
    {
        string gap = new(' ', 38);
        Assert.That(ShownValue.Of([0xFF, 0xFE, (byte)'<', (byte)'a']).Text, Is.EqualTo($"0000  ff fe 3c 61{gap}··<a"));
        var number = ShownValue.Of([0, 0, 0, 42]);
        string dump = $"0000  00 00 00 2a{gap}···*";
        Assert.That(number, Is.EqualTo(new ShownValue("bytes", dump, "42 if SetInt32 wrote it", "00 00 00 2a  ···*")));
        Assert.That(ShownValue.Of([0xC3, 0x28]).Kind, Is.EqualTo("bytes"), "no UTF-8");
        Assert.That(ShownValue.Of([(byte)'a', 0]).Kind, Is.EqualTo("bytes"));
        Assert.That(ShownValue.Of(new byte[1000]).Text.Split('\n'), Has.Length.EqualTo(16));
    }

    [Test]
    public void Large_values_are_shortened_and_say_so()
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("ä😀", 200_000)));
        var value = ShownValue.Of(text);
        Assert.That((value.Kind, value.Note), Is.EqualTo(("text", "shortened to the first 4,000 characters")));
        Assert.That(value.Text, Has.Length.InRange(4000, 4010).And.EndWith("…").And.Not.Contain("\uFFFD"));
        byte[] json = Encoding.UTF8.GetBytes($"[\"{new string('x', 10_000)}\"]");
        Assert.That(ShownValue.Of(json).Note, Is.EqualTo("indented, shortened to the first 4,000 characters"));
        Assert.That(ShownValue.Of(Encoding.UTF8.GetBytes(new string('[', 5000))).Kind, Is.EqualTo("text"), "deeper than anybody reads");
    }

    [Test]
    public async Task A_session_of_thousands_of_keys_and_megabytes_makes_no_large_page()
    {
        string id = await NewSessionAsync(null, session =>
        {
            for (int i = 0; i < 2000; i++) session.Set($"key {i}", new byte[2000]);
        });
        var unasked = await Operator.GetAsync($"?session={id}");
        Assert.That(unasked.Text, Does.Contain("This session is large."));
        var page = await Operator.GetAsync($"?session={id}&values=shown");
        Assert.That(page.Text, Does.Contain("key 499").And.Not.Contain("key 500").And.Contain("1,500 more keys"));
        Assert.That(page.Html, Has.Length.LessThan(2_000_000));
    }

    [Test]
    public void What_is_put_into_markup_is_encoded_and_markup_is_not()
    {
        string hostile = "<b title=\"'\">&";
        var inner = Markup.Of($"<i>{hostile}</i>");
        Assert.That(inner.ToString(), Is.EqualTo("<i>&lt;b title=&quot;&#x27;&quot;&gt;&amp;</i>"));
        var outer = Markup.Of($"<p>{inner}{1}{(string?)null}{Enumerable.Repeat(inner, 2)}</p>");
        Assert.That(outer.ToString(), Is.EqualTo($"<p>{inner}1{inner}{inner}</p>"));
    }

    [Test]
    public void An_attribute_without_quotes_is_no_markup() =>
        Assert.That(() => Markup.Of($"<a href={"x onclick=alert(1)"}>"), Throws.InvalidOperationException);
}
