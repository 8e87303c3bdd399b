using System.Globalization;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace RedisSession.Provider.BrowserTests;

/// <summary>Visits to the page of the operators, over sessions of the shop or some that are made up: what they see and do in a day.</summary>
internal sealed class DashboardVisitTests : BrowserFixture
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static readonly BrowserNewContextOptions Desk = new() { ViewportSize = new() { Width = 1200, Height = 860 } };
    private static readonly BrowserNewContextOptions DeskWithoutScripts = new() { JavaScriptEnabled = false };

    private static readonly string[] Names =
        ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Edsger W. Dijkstra", "Barbara Liskov", "Donald Knuth", "Radia Perlman"];

    private DashboardHost _host = null!;

    [SetUp]
    public async Task StartCrowded() => _host = await CrowdedAsync();

    [TearDown]
    public async Task Stop() => await _host.DisposeAsync();

    [Test]
    public async Task It_looks_as_the_documents_show_it()
    {
        string id = await OrdinaryAsync();
        var page = await OpenAsync(_host.Address, Desk);
        await ExpectRowsAsync(page, 50);
        await DocumentAsync(page, "dashboard");
        await page.GotoAsync($"{_host.Address}?session={id}&values=shown");
        await DocumentAsync(page, "dashboard-session");
    }

    [Test]
    public async Task In_the_dark_and_on_a_phone_all_of_it_is_dark_and_fits([Values(1200, 840, 700, 375, 320)] int width)
    {
        string id = await OrdinaryAsync();
        var options = width < 500 ? Phone(width, 700) : new() { ViewportSize = new() { Width = width, Height = 800 } };
        options.ColorScheme = ColorScheme.Dark;
        var page = await OpenAsync(_host.Address, options);
        await _host.AddAsync(4712, "Konrad Zuse of Berlin", 73 * Minute, TimeSpan.Zero);
        string[] found = ["?q=ADA%20LOVELACE", "?q=Konrad%20Zuse%20of%20Berlin", "?who=anonymous&sort=-size", "?q=nobody"];
        foreach (string query in (string[])["", .. found, $"?session={id}&values=shown"])
        {
            await page.GotoAsync(_host.Address + query);
            await FitsAsync(page);
            await IsAccessibleAsync(page);
            if (query.Length == 0)
            {
                await page.Locator("tbody input").First.CheckAsync();
                await page.Locator("tbody summary").First.ClickAsync();
                await FitsAsync(page);
                await IsAccessibleAsync(page);
            }

            string name = query.Length == 0 ? "list" : query.Contains("session", StringComparison.Ordinal) ? "session" : "found";
            if (!query.Contains("who", StringComparison.Ordinal)) await ScreenshotAsync(page, $"dashboard-night-{width}-{name}");
        }
    }

    [Test]
    public async Task Forty_keys_are_on_two_screens_in_the_order_in_which_people_count()
    {
        HashEntry[] keys = [.. Enumerable.Range(1, 40).Select(number => new HashEntry($"pref:{number}", $"value {number}"))];
        string id = await _host.AddAsync(4712, "ann", Minute, TimeSpan.Zero, keys);
        var page = await OpenAsync($"{_host.Address}?session={id}&values=shown", Desk);
        await Expect(page.Locator(".keys tbody tr")).ToHaveCountAsync(40);
        int height = await page.EvaluateAsync<int>("document.documentElement.scrollHeight");
        Assert.That(height, Is.LessThanOrEqualTo(2 * 860));
        await Expect(page.Locator(".keys .key").Nth(1)).ToHaveTextAsync("pref:2");
        await Expect(page.Locator(".keys .key").Nth(9)).ToHaveTextAsync("pref:10");

        await page.GetByLabel("Keys with").FillAsync("F:3");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".keys tbody tr")).ToHaveCountAsync(11);
        await Expect(page.GetByText("11 of 40 keys.")).ToBeVisibleAsync();
        await Expect(page.Locator(".keys")).ToContainTextAsync("value 39");
    }

    [Test]
    public async Task Several_are_chosen_and_ended_at_once_and_the_notice_says_how_many()
    {
        var page = await OpenAsync(_host.Address, DeskWithoutScripts);
        await FollowAsync(page.Locator(".choice").GetByText("Anonymous"));
        int before = await page.Locator("tbody tr").CountAsync();
        var summary = page.Locator(".chosen summary");
        await Expect(summary).ToBeHiddenAsync();
        for (int row = 0; row < 3; row++) await page.Locator("tbody input").Nth(row).CheckAsync();
        string[] chosen = [.. await page.Locator("tbody tr:has(input:checked) .id").AllInnerTextsAsync()];
        await Expect(summary).ToBeVisibleAsync();
        await ScreenshotAsync(page, "dashboard-chosen");
        await summary.ClickAsync();
        await Button(page, "Yes, end them").ClickAsync();
        await ExpectNotice(page).ToHaveTextAsync("3 sessions ended.");
        await ExpectRowsAsync(page, before - 3);
        foreach (string id in chosen) await Expect(page.GetByText(id)).ToHaveCountAsync(0);
    }

    [Test]
    public async Task The_button_in_a_row_ends_that_session_and_none_that_is_chosen_and_there_is_a_way_back_to_it()
    {
        var page = await OpenAsync($"{_host.Address}?q=Alan%20Turing", DeskWithoutScripts);
        int before = await page.Locator("tbody tr").CountAsync();
        await page.Locator("tbody input").Nth(0).CheckAsync();
        string ended = await page.Locator("tbody .id").Nth(1).InnerTextAsync();
        await page.Locator("tbody summary").Nth(1).ClickAsync();
        await Button(page, "End it").ClickAsync();
        await ExpectNotice(page).ToHaveTextAsync($"Session {ended} ended.");
        await ExpectRowsAsync(page, before - 1);
        await page.GetByRole(AriaRole.Status).GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("No such session");
        Forgive("404 (Not Found)");
        await page.GetByRole(AriaRole.Link, new() { Name = "Back to the list" }).ClickAsync();
        await ExpectRowsAsync(page, before - 1);

        await page.Locator(".bar summary").Filter(new() { HasText = "Alan Turing’s" }).ClickAsync();
        await Button(page, $"Yes, end Alan Turing’s {before - 1} sessions").ClickAsync();
        await ExpectNotice(page).ToHaveTextAsync($"{before - 1} sessions of Alan Turing ended.");
    }

    [Test]
    public async Task A_session_is_found_by_what_a_page_shows_of_its_id_and_a_user_in_any_case()
    {
        var page = await OpenAsync(_host.Address, DeskWithoutScripts);
        string shown = await page.Locator("tbody .id").First.InnerTextAsync();
        await SearchAsync(page, shown);
        await ExpectRowsAsync(page, 1);
        await Expect(page.GetByText("1 session whose id begins with")).ToBeVisibleAsync();
        await SearchAsync(page, "GRACE hopper");
        await Expect(page.GetByText("No user is named exactly “GRACE hopper”.")).ToBeVisibleAsync();
        await Expect(page.Locator("tbody .user").First).ToHaveTextAsync("Grace Hopper");
        await page.Locator("tbody .user a").First.ClickAsync();
        await Expect(page.GetByText("of exactly “Grace Hopper”")).ToBeVisibleAsync();
    }

    [Test]
    public async Task A_page_refreshes_itself_when_that_is_asked_for_and_on_the_pages_that_follow()
    {
        var page = await OpenAsync(_host.Address, DeskWithoutScripts);
        await FollowAsync(Link(page, "5 s"));
        await IsRefreshedAsync();
        await FollowAsync(page.GetByRole(AriaRole.Link, new() { Name = "Next page" }));
        await Expect(page.Locator("b[aria-current=page]")).ToHaveTextAsync("2");
        await IsRefreshedAsync();
        await Expect(page.Locator("b[aria-current=page]")).ToHaveTextAsync("2");
        await FollowAsync(Link(page, "off"));
        Assert.That(page.Url, Does.Not.Contain("refresh"));

        async Task IsRefreshedAsync()
        {
            await page.WaitForResponseAsync(response => response.Url.Contains("refresh=5", StringComparison.Ordinal));
            await page.WaitForLoadStateAsync();
            await Expect(page.Locator("tbody tr")).Not.ToHaveCountAsync(0);
        }
    }

    [Test]
    public async Task Pages_lead_on_back_and_to_the_first_and_columns_sort()
    {
        var page = await OpenAsync(_host.Address, DeskWithoutScripts);
        string[] first = await IdsAsync();
        await FollowAsync(page.GetByRole(AriaRole.Link, new() { Name = "Next page" }));
        string[] second = await IdsAsync();
        Assert.That(second.Intersect(first), Is.Empty);
        await FollowAsync(Link(page, "Back"));
        Assert.That(await IdsAsync(), Is.EquivalentTo(first));
        await FollowAsync(Link(page, "Page 2"));
        Assert.That(await IdsAsync(), Is.EquivalentTo(second));
        await FollowAsync(page.GetByRole(AriaRole.Link, new() { Name = "First page" }));
        Assert.That(await IdsAsync(), Is.EquivalentTo(first));

        await FollowAsync(Link(page, "Keys"));
        await Expect(page.Locator("th[aria-sort=descending]")).ToHaveTextAsync("Keys");
        var texts = await page.Locator("[data-label=keys]").AllInnerTextsAsync();
        int[] keys = [.. texts.Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        Assert.That(keys, Is.Ordered.Descending);
        await Expect(page.GetByText("sorted by keys within this page")).ToBeVisibleAsync();

        async Task<string[]> IdsAsync() => [.. await page.Locator("tbody .id").AllInnerTextsAsync()];
    }

    [Test]
    public async Task The_page_as_a_file_is_what_the_page_shows()
    {
        var page = await OpenAsync($"{_host.Address}?sort=id", Desk); // some were last used in the same second
        string[] shown = [.. await page.Locator("tbody .id").EvaluateAllAsync<string[]>("links => links.map(link => link.title)")];
        var link = page.GetByRole(AriaRole.Link, new() { Name = "This page as CSV" });
        var file = await page.RunAndWaitForDownloadAsync(() => link.ClickAsync());
        string[] lines = await File.ReadAllLinesAsync((await file.PathAsync())!);
        Assert.That(file.SuggestedFilename, Is.EqualTo("sessions.csv"));
        Assert.That(lines[0], Is.EqualTo("id,user,lastUsed,created,expires,keyCount,sizeInBytes"));
        Assert.That(lines[1..].Select(line => line.Split(',')[0]), Is.EqualTo(shown));
    }

    [Test]
    public async Task A_session_that_the_operator_ends_is_signed_out_in_its_tab()
    {
        string name = NewName("Grace");
        var (customer, id) = await SignInAsync(name);

        var @operator = await OpenAsync("/", DeskWithoutScripts);
        await @operator.GetByRole(AriaRole.Link, new() { Name = "Sessions dashboard" }).ClickAsync();
        await SearchAsync(@operator, name);
        await ExpectRowsAsync(@operator, 1);
        await Expect(Button(@operator, "End it")).ToBeHiddenAsync();
        await @operator.Locator("tbody summary").ClickAsync();
        await Button(@operator, "End it").ClickAsync();
        await ExpectNotice(@operator).ToHaveTextAsync($"Session {id[..10]}… ended.");
        await ScreenshotAsync(@operator, "dashboard-ended");

        await AddToCartAsync(customer, "Teapot");
        await Expect(customer.GetByLabel("Your name")).ToBeVisibleAsync();
        await Expect(customer.GetByText("Hello,")).ToBeHiddenAsync();
        Assert.That(await SessionIdAsync(customer), Is.EqualTo(id), "the cookie is the same, and what it begins is new");
    }

    [Test]
    public async Task Values_are_shown_when_they_are_asked_for()
    {
        var (customer, id) = await SignInAsync(NewName("Ada"));
        await AddToCartAsync(customer, "Cactus");
        await SetAsync(
            id,
            new("address", """{"street":"12 St James’s Square","city":"London","rooms":[3,4],"active":true}"""),
            new("picture", (byte[])[0x89, .. "PNG\r\n"u8, 26, 10, .. Enumerable.Range(0, 90).Select(i => (byte)(i * 7))]),
            new("SetInt32", (byte[])[0, 0, 5, 57]), new("agreed", "True"),
            new("long", string.Concat(Enumerable.Repeat("All work and no play makes Jack a dull boy. ", 200))));

        var page = await OpenAsync(DashboardAddress);
        await IsAccessibleAsync(page);
        await ScreenshotAsync(page, "dashboard");
        await SearchAsync(page, id);
        await page.Locator("tbody a").First.ClickAsync();
        await Expect(page.Locator(".keys")).ToContainTextAsync("hidden");
        await Expect(page.Locator("pre")).ToHaveCountAsync(0);
        await IsAccessibleAsync(page);
        await ScreenshotAsync(page, "dashboard-session");
        await page.GetByRole(AriaRole.Link, new() { Name = "Show values" }).ClickAsync();
        await Expect(page.Locator(".keys")).ToContainTextAsync("\"city\":\"London\"");
        await IsAccessibleAsync(page);
        await ScreenshotAsync(page, "dashboard-values");
    }

    [Test]
    public async Task Hostile_names_keys_and_values_are_only_text()
    {
        const string Hostile = "<img src=x onerror=alert(1)>";
        var (customer, id) = await SignInAsync(Hostile);
        Assert.That(await customer.Locator("img").CountAsync(), Is.Zero);
        await SetAsync(
            id,
            new(Hostile, "<script>alert(1)</script>"),
            new("\"><script>alert(1)</script>", "</pre><form action=https://evil.example><button>Win</button></form>"),
            new("\u202Eyek", "\u202Eeulav \u2066\u200B"), new("control\u001B[31m\u0007", "\u0000\u001B[2J"),
            new("style", "</style><style>body { display: none }</style>"), new("no utf-8", (byte[])[0xC3, 0x28, 0xFF]),
            new(new string('k', 3000), new string('v', 100_000)));

        var page = await OpenAsync(DashboardAddress);
        foreach (string query in (string[])["", "?q=" + Uri.EscapeDataString(Hostile), $"?session={id}", $"?session={id}&values=shown"])
        {
            await page.GotoAsync(DashboardAddress + query);
            await Expect(page.GetByText(Hostile).First).ToBeVisibleAsync();
            Assert.That(await page.Locator("img, script, iframe, form[action]").CountAsync(), Is.Zero, query);
            await FitsAsync(page);
        }

        await Expect(page.Locator(".keys")).ToContainTextAsync("‹U+202E›");
        await ScreenshotAsync(page, "dashboard-hostile");
        await page.SetViewportSizeAsync(360, 700);
        await FitsAsync(page);
    }

    [Test]
    public async Task By_keyboard_alone_a_session_is_found_and_ended()
    {
        string name = NewName("Alan");
        var (_, id) = await SignInAsync(name);
        var page = await OpenAsync(DashboardAddress);
        await page.Keyboard.PressAsync("Tab");
        var skip = page.GetByRole(AriaRole.Link, new() { Name = "Skip to content" });
        await Expect(skip).ToBeFocusedAsync();
        await Expect(skip).ToBeInViewportAsync();
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, page.GetByLabel("User or session id"));
        await page.Keyboard.TypeAsync(name);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new Regex("[?&]q="));
        await ExpectRowsAsync(page, 1);
        await TabToAsync(page, page.Locator("tbody summary"));
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, Button(page, "End it"));
        await ScreenshotAsync(page, "dashboard-keyboard");
        await page.Keyboard.PressAsync("Enter");
        await ExpectNotice(page).ToHaveTextAsync($"Session {id[..10]}… ended.");
    }

    private static Task ExpectRowsAsync(IPage page, int count) => Expect(page.Locator("tbody tr")).ToHaveCountAsync(count);

    /// <summary>Into a session of the shop, behind its back.</summary>
    private async Task SetAsync(string id, params HashEntry[] keys)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Shop.Redis);
        await redis.GetDatabase().HashSetAsync($"sessions:{id}", keys);
    }

    private static string NewName(string name) => $"{name} {Guid.NewGuid().ToString("N")[..6]}";

    /// <summary>By the Tab key, seeing at each step where one is.</summary>
    private static async Task TabToAsync(IPage page, ILocator target)
    {
        for (int i = 0; i < 20; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            string outline = await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle");
            Assert.That(outline, Is.Not.EqualTo("none"), "the focus is seen");
            if (await target.EvaluateAsync<bool>("element => element === document.activeElement")) return;
        }

        Assert.Fail($"The Tab key does not lead to {target}.");
    }

    private async Task<DashboardHost> CrowdedAsync()
    {
        var host = await DashboardHost.StartAsync(Shop.Redis);
        for (int number = 0; number < 64; number++)
        {
            // Numbers without an order that anybody sees, and the same each time.
            int mixed = number * 7919 % 997;
            var idle = TimeSpan.FromSeconds(3 + (mixed % 31 * (mixed % 31)));
            string? user = mixed % 5 < 2 ? null : Names[mixed % 13 % Names.Length];
            string value = new('x', mixed % 50);
            HashEntry[] keys = [.. Enumerable.Range(1, 1 + (mixed % 6)).Select(key => new HashEntry($"pref:{key}", value))];
            await host.AddAsync(number, user, idle + (mixed % 240 * Minute), idle, keys);
        }

        var now = DateTimeOffset.UtcNow;
        for (int minute = 540; minute > 0; minute -= 4)
        {
            double day = Math.Sin((540 - minute) / 190.0);
            host.Counted(now.AddMinutes(-minute), (long)(30 + (60 * day) + (minute * 37 % 7)));
        }

        host.Counted(now.AddSeconds(-12), 64);
        return host;
    }

    /// <summary>A session as there are many: short values, a long one, one that expires by itself.</summary>
    private async Task<string> OrdinaryAsync()
    {
        string id = await _host.AddAsync(
            4711, "Ada Lovelace", 73 * Minute, 4 * Minute,
            new("name", "Ada Lovelace"), new("visits", 17), new("agreed", "True"),
            new("cart:mug", 2), new("cart:teapot", 1), new("cart:desk-lamp", 1),
            new("discount", "SPRING-24"), new("language", "en-GB"), new("SetInt32", (byte[])[0, 0, 5, 57]),
            new("pref:1", "compact"), new("pref:2", """{"theme":"dark","columns":3}"""), new("pref:10", "weekly"),
            new("address", """{"street":"12 St James’s Square","city":"London","country":"United Kingdom","rooms":[3,4],"active":true}"""));
        await _host.ExpireAsync(id, "discount", 8 * Minute);
        return id;
    }
}
