using System.Collections.Concurrent;
using Deque.AxeCore.Commons;

namespace RedisSession.Provider.BrowserTests;

/// <summary>
/// A browser, and the sample. Whatever a page complains of (an error of a script, something that its content security policy forbids) and
/// whatever dialog opens fails the test in which it happens.
/// </summary>
[NonParallelizable]
internal abstract class BrowserFixture
{
    /// <summary>The environment variable that, set to anything, has the screenshots in docs/images made anew.</summary>
    public const string DocumentsVariable = "BROWSER_TEST_DOCUMENTS";

    // In milliseconds. Nothing takes so long, but on a machine that does much else beside.
    private const float Patience = 60_000;

    private const int MostBytesOfImage = 200 * 1024;

    // Run as it is, and asked for what is wrong alone: the runner around it opens a page each time, and brings the HTML of all that is right.
    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly List<IBrowserContext> _contexts = [];
    private IPlaywright? _playwright;
    private IBrowser _browser = null!;

    protected ShopProcess Shop { get; private set; } = null!;

    protected string DashboardAddress => new Uri(Shop.Address, "/sessions").ToString();

    [OneTimeSetUp]
    public async Task StartBrowserAndShop()
    {
        string path = Chromium.FindOrSkip();
        SetDefaultExpectTimeout(Patience);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.LaunchAsync(path);
        Shop = await ShopProcess.StartAsync();
    }

    [OneTimeTearDown]
    public async Task StopBrowserAndShop()
    {
        if (Shop is not null) await Shop.DisposeAsync();
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    [TearDown]
    public async Task No_page_has_complained()
    {
        foreach (var context in _contexts) await context.DisposeAsync();
        _contexts.Clear();
        string[] complaints = [.. _complaints];
        _complaints.Clear();
        Assert.That(complaints, Is.Empty);
    }

    /// <summary>A complaint that there has to be, and that is none: such as a browser's of a page that is not there.</summary>
    protected void Forgive(string text)
    {
        string[] complaints = [.. _complaints];
        Assert.That(complaints, Has.Some.Contains(text));
        _complaints.Clear();
        foreach (string other in complaints.Where(one => !one.Contains(text, StringComparison.Ordinal))) _complaints.Enqueue(other);
    }

    /// <summary>Somebody with cookies of their own.</summary>
    protected async Task<IBrowserContext> NewVisitorAsync(BrowserNewContextOptions? options = null)
    {
        options ??= new();
        options.BaseURL = Shop.Address.ToString();
        var context = await _browser.NewContextAsync(options);
        context.SetDefaultTimeout(Patience);
        context.Dialog += async (_, dialog) =>
        {
            _complaints.Enqueue($"dialog: {dialog.Message}");
            await dialog.DismissAsync();
        };
        context.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") _complaints.Enqueue($"{message.Page?.Url}: {message.Text}");
        };
        context.WebError += (_, error) => _complaints.Enqueue($"script: {error.Error}");
        _contexts.Add(context);
        return context;
    }

    protected static BrowserNewContextOptions Phone(int width, int height) =>
        new() { ViewportSize = new() { Width = width, Height = height }, DeviceScaleFactor = 2, HasTouch = true, IsMobile = true };

    protected static ILocator Button(IPage page, string name) => page.GetByRole(AriaRole.Button, new() { Name = name });

    protected static ILocator Link(IPage page, string name) => page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true });

    /// <summary>What a page says of what was just done.</summary>
    protected static ILocatorAssertions ExpectNotice(IPage page) => Expect(page.GetByRole(AriaRole.Status));

    /// <summary>Opens a page of a new visitor.</summary>
    protected async Task<IPage> OpenAsync(string address, BrowserNewContextOptions? options = null)
    {
        var page = await (await NewVisitorAsync(options)).NewPageAsync();
        await page.GotoAsync(address);
        return page;
    }

    /// <summary>Clicks what leads to another page, and returns when that one is there: what is read at once is read of it.</summary>
    protected static async Task FollowAsync(ILocator link)
    {
        var page = link.Page;
        string before = page.Url;
        await link.ClickAsync();
        await Expect(page).Not.ToHaveURLAsync(before);
        await page.WaitForLoadStateAsync();
    }

    /// <summary>On the page of the operators.</summary>
    protected static async Task SearchAsync(IPage page, string search)
    {
        await page.GetByLabel("User or session id").FillAsync(search);
        await FollowAsync(Button(page, "Search"));
    }

    protected static async Task SignInAsync(IPage page, string name)
    {
        await page.GetByLabel("Your name").FillAsync(name);
        await Button(page, "Sign in").ClickAsync();
        await Expect(page.GetByText("Hello,")).ToBeVisibleAsync();
    }

    /// <summary>A new customer of the shop, signed in, and the id of the session.</summary>
    protected async Task<(IPage Page, string Id)> SignInAsync(string name)
    {
        var page = await OpenAsync("/");
        await SignInAsync(page, name);
        return (page, await SessionIdAsync(page));
    }

    protected static Task AddToCartAsync(IPage page, string product) => Button(page, $"Add {product} to the cart").ClickAsync();

    /// <summary>The session that a shop page is about: its Redis panel names the key.</summary>
    protected static async Task<string> SessionIdAsync(IPage page)
    {
        string key = await page.Locator(".redis .command b").First.InnerTextAsync();
        return key[(key.LastIndexOf(':') + 1)..];
    }

    /// <summary>Nothing has to be pushed aside to be read.</summary>
    protected static async Task FitsAsync(IPage page)
    {
        string[] beyond = await page.EvaluateAsync<string[]>("""
            () => {
                const width = document.documentElement.clientWidth;
                if (document.documentElement.scrollWidth <= width) return [];
                return [...document.body.querySelectorAll("*")]
                    .filter(element => element.getBoundingClientRect().right > width)
                    .map(element => element.outerHTML.slice(0, 80)).slice(0, 5);
            }
            """);
        Assert.That(beyond, Is.Empty, $"{page.Url} is wider than the screen");
    }

    /// <summary>What axe finds wrong for people who use a keyboard, a screen reader, or see little: nothing.</summary>
    protected static async Task IsAccessibleAsync(IPage page)
    {
        await page.EvaluateAsync(Axe);
        string[] found = await page.EvaluateAsync<string[]>("""
            async () => {
                const result = await axe.run(document, { resultTypes: ["violations"] });
                return result.violations.flatMap(violation => violation.nodes.map(node => `${violation.id}: ${node.html}`));
            }
            """);
        Assert.That(found, Is.Empty, page.Url);
    }

    /// <summary>Kept beside the tests' assembly, and with the result of the test.</summary>
    protected static async Task ScreenshotAsync(IPage page, string name)
    {
        string path = Path.Combine(TestContext.CurrentContext.TestDirectory, "screenshots", name + ".png");
        await page.ScreenshotAsync(new() { Path = path, FullPage = true });
        TestContext.AddTestAttachment(path);
    }

    /// <summary>
    /// The part of a page that is seen at first, or all of it: for the documents, where that is asked for, and else for who looks. As it is
    /// shown to everybody, it has to fit and be accessible.
    /// </summary>
    protected static async Task DocumentAsync(IPage page, string name, bool wholePage = false)
    {
        await IsAccessibleAsync(page);
        await FitsAsync(page);
        byte[] image = await page.ScreenshotAsync(new() { FullPage = wholePage });
        Assert.That(image, Has.Length.LessThan(MostBytesOfImage));
        await ScreenshotAsync(page, $"document-{name}");
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(DocumentsVariable))) return;
        string path = Path.Combine(ShopProcess.Directory, "..", "..", "docs", "images", $"{name}.png");
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(path, image);
    }
}
