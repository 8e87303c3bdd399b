using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace RedisSession.Provider.BrowserTests;

/// <summary>Visits to the page of the operators.</summary>
internal sealed class SessionsPageVisitTests : BrowserFixture
{
    private static readonly BrowserNewContextOptions WithoutScripts = new() { JavaScriptEnabled = false };

    [Test]
    public async Task A_session_that_the_operator_ends_is_signed_out_in_its_tab()
    {
        string name = NewName("Grace");
        var customer = await OpenAsync("/");
        await SignInAsync(customer, name);
        string id = await SessionIdAsync(customer);

        var @operator = await OpenAsync("/", WithoutScripts);
        await @operator.GetByRole(AriaRole.Link, new() { Name = "Sessions dashboard" }).ClickAsync();
        await SearchAsync(@operator, name);
        await Expect(@operator.Locator("tbody tr")).ToHaveCountAsync(1);
        var end = @operator.GetByRole(AriaRole.Button, new() { Name = "End it" });
        await Expect(end).ToBeHiddenAsync();
        await @operator.Locator("tbody summary").ClickAsync();
        await end.ClickAsync();
        await Expect(@operator.GetByRole(AriaRole.Status)).ToHaveTextAsync($"Session {id[..10]}… ended.");
        await ScreenshotAsync(@operator, "dashboard-ended");

        await customer.GetByRole(AriaRole.Button, new() { Name = "Add Teapot to the cart" }).ClickAsync();
        await Expect(customer.GetByLabel("Your name")).ToBeVisibleAsync();
        await Expect(customer.GetByText("Hello,")).ToBeHiddenAsync();
        Assert.That(await SessionIdAsync(customer), Is.EqualTo(id), "the cookie is the same, and what it begins is new");
    }

    [Test]
    public async Task Values_are_shown_when_they_are_asked_for()
    {
        var customer = await OpenAsync("/");
        await SignInAsync(customer, NewName("Ada"));
        await customer.GetByRole(AriaRole.Button, new() { Name = "Add Cactus to the cart" }).ClickAsync();
        string id = await SessionIdAsync(customer);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Shop.Redis);
        await redis.GetDatabase().HashSetAsync($"sessions:{id}",
        [
            new("address", """{"street":"12 St James’s Square","city":"London","rooms":[3,4],"active":true}"""),
            new("picture", (byte[])[0x89, .. "PNG\r\n"u8, 26, 10, .. Enumerable.Range(0, 90).Select(i => (byte)(i * 7))]),
            new("SetInt32", (byte[])[0, 0, 5, 57]),
            new("agreed", "True"),
            new("long", string.Concat(Enumerable.Repeat("All work and no play makes Jack a dull boy. ", 200))),
        ]);

        var page = await OpenAsync(DashboardAddress);
        await ManyAsync(page);
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
        var customer = await OpenAsync("/");
        await SignInAsync(customer, Hostile);
        Assert.That(await customer.Locator("img").CountAsync(), Is.Zero);
        string id = await SessionIdAsync(customer);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Shop.Redis);
        await redis.GetDatabase().HashSetAsync($"sessions:{id}",
        [
            new(Hostile, "<script>alert(1)</script>"),
            new("\"><script>alert(1)</script>", "</pre><form action=https://evil.example><button>Win</button></form>"),
            new("\u202Eyek", "\u202Eeulav \u2066\u200B"),
            new("control\u001B[31m\u0007", "\u0000\u001B[2J"),
            new("style", "</style><style>body { display: none }</style>"),
            new("no utf-8", (byte[])[0xC3, 0x28, 0xFF]),
            new(new string('k', 3000), new string('v', 100_000)),
        ]);

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
        var customer = await OpenAsync("/");
        await SignInAsync(customer, name);
        string id = await SessionIdAsync(customer);
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
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await TabToAsync(page, page.Locator("tbody summary"));
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "End it" }));
        await ScreenshotAsync(page, "dashboard-keyboard");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync($"Session {id[..10]}… ended.");
    }

    [TestCase(375, 740)]
    [TestCase(320, 568)]
    public async Task On_a_phone_nothing_is_wider_than_the_screen(int width, int height)
    {
        string name = NewName("Konrad Zuse of Berlin");
        var customer = await OpenAsync("/");
        await SignInAsync(customer, name);
        await customer.GetByRole(AriaRole.Button, new() { Name = "Add Pencil to the cart" }).ClickAsync();
        string id = await SessionIdAsync(customer);
        var page = await OpenAsync(DashboardAddress, Phone(width, height));
        await ManyAsync(page);
        await FitsAsync(page);
        await page.Locator("tbody summary").First.ClickAsync();
        await FitsAsync(page);
        await ScreenshotAsync(page, $"dashboard-phone-{width}");
        foreach (string query in (string[])["?q=" + Uri.EscapeDataString(name), "?q=nobody", $"?session={id}&values=shown"])
        {
            await page.GotoAsync(DashboardAddress + query);
            await FitsAsync(page);
            if (query.EndsWith("shown", StringComparison.Ordinal)) await ScreenshotAsync(page, $"dashboard-phone-{width}-values");
        }
    }

    [Test]
    public async Task In_the_dark_it_is_dark()
    {
        await SignInAsync(await OpenAsync("/"), NewName("Ada"));
        var page = await OpenAsync(DashboardAddress, new() { ColorScheme = ColorScheme.Dark });
        await IsAccessibleAsync(page);
        await page.Locator("tbody summary").First.ClickAsync();
        await IsAccessibleAsync(page);
        await ScreenshotAsync(page, "dashboard-dark");
    }

    private static string NewName(string name) => $"{name} {Guid.NewGuid().ToString("N")[..6]}";

    /// <summary>By the Tab key, seeing at each step where one is.</summary>
    private static async Task TabToAsync(IPage page, ILocator target)
    {
        for (int i = 0; i < 20; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            Assert.That(
                await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"),
                Is.Not.EqualTo("none"),
                "the focus is seen");
            if (await target.EvaluateAsync<bool>("element => element === document.activeElement")) return;
        }

        Assert.Fail($"The Tab key does not lead to {target}.");
    }

    /// <summary>Some more sessions, of several users, so that there is something to see.</summary>
    private async Task ManyAsync(IPage page)
    {
        string[] names = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Edsger W. Dijkstra", "Barbara Liskov", "Donald Knuth"];
        var customer = await OpenAsync("/");
        foreach (string name in names)
        {
            await SignInAsync(customer, name);
            await customer.Context.ClearCookiesAsync(); // the next one is somebody else
            await customer.GotoAsync("/");
        }

        await page.ReloadAsync();
    }
}
