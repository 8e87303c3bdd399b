namespace RedisSession.Provider.BrowserTests;

/// <summary>Visits to the shop.</summary>
internal sealed class ShopVisitTests : BrowserFixture
{
    [Test]
    public async Task What_two_tabs_put_into_the_cart_at_the_same_time_is_all_there()
    {
        var visitor = await NewVisitorAsync();
        var one = await visitor.NewPageAsync();
        await one.GotoAsync("/");
        await SignInAsync(one, "Ada");
        var two = await visitor.NewPageAsync();
        await two.GotoAsync("/");
        await Expect(two.GetByText("Hello, Ada")).ToBeVisibleAsync();

        await Task.WhenAll(AddAsync(one, "Stoneware mug"), AddAsync(two, "Teapot"));
        await one.ReloadAsync();
        await Expect(CartLine(one, "3 × Stoneware mug")).ToBeVisibleAsync();
        await Expect(CartLine(one, "3 × Teapot")).ToBeVisibleAsync();
        await DocumentAsync(one, "shop", wholePage: true);

        static async Task AddAsync(IPage page, string product)
        {
            for (int quantity = 1; quantity <= 3; quantity++)
            {
                await AddToCartAsync(page, product);
                await Expect(CartLine(page, $"{quantity} × {product}")).ToBeVisibleAsync();
            }
        }
    }

    [Test]
    public async Task A_code_is_made_redeemed_and_signed_out()
    {
        var (page, _) = await SignInAsync("Grace");
        await AddToCartAsync(page, "Desk lamp");
        await Expect(CartLine(page, "1 × Desk lamp")).ToBeVisibleAsync();
        await page.Locator(".discount").GetByRole(AriaRole.Button).First.ClickAsync();
        string code = await page.Locator(".code").InnerTextAsync();
        await page.GetByLabel("Code").FillAsync(code);
        await page.Keyboard.PressAsync("Enter");
        await ExpectNotice(page).ToContainTextAsync("10 % off");
        await Expect(page.Locator(".cart")).ToContainTextAsync("Discount, 10 %");
        await page.Locator(".top").GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByLabel("Your name")).ToBeVisibleAsync();
        await Expect(page.Locator(".cart")).ToContainTextAsync("Nothing here yet.");
    }

    [TestCase(375, 740)]
    [TestCase(320, 568)]
    public async Task On_a_phone_nothing_is_wider_than_the_screen(int width, int height)
    {
        var page = await OpenAsync("/", Phone(width, height));
        await FitsAsync(page);
        await SignInAsync(page, new string('W', 40));
        await AddToCartAsync(page, "Dotted notebook");
        await Expect(CartLine(page, "1 × Dotted notebook")).ToBeVisibleAsync();
        await page.Locator(".discount").GetByRole(AriaRole.Button).First.ClickAsync();
        await Expect(page.Locator(".code")).ToBeVisibleAsync();
        await FitsAsync(page);
        await ScreenshotAsync(page, $"shop-phone-{width}");
    }

    [Test]
    public async Task By_keyboard_alone_a_visitor_signs_in_and_fills_the_cart()
    {
        var page = await OpenAsync("/");
        await page.GetByLabel("Your name").FocusAsync();
        await page.Keyboard.TypeAsync("Alan");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("Hello, Alan")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Tab"); // to the operators' page
        await page.Keyboard.PressAsync("Tab"); // signs out
        await page.Keyboard.PressAsync("Tab"); // the first product
        await Expect(Button(page, "Add Stoneware mug to the cart")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(CartLine(page, "1 × Stoneware mug")).ToBeVisibleAsync();
    }

    [Test]
    public async Task In_the_dark_it_is_dark()
    {
        var page = await OpenAsync("/", new() { ColorScheme = ColorScheme.Dark });
        await SignInAsync(page, "Ada by night");
        await IsAccessibleAsync(page);
        await ScreenshotAsync(page, "shop-dark");
    }

    private static ILocator CartLine(IPage page, string line) => page.Locator(".cart").GetByRole(AriaRole.Row, new() { Name = line });
}
