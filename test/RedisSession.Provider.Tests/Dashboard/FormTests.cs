using RedisSession.Provider.Dashboard;

namespace RedisSession.Provider.Tests;

/// <summary>Forms that are not the page's own do nothing.</summary>
internal sealed class FormTests() : DashboardFixture(ServerKind.Garnet)
{
    private Victim _victim = null!;
    private Operator.Page _page = null!;

    [SetUp]
    public async Task Start()
    {
        _victim = await Victim.SignInAsync(App);
        _page = await Operator.GetAsync(); // there is a cookie
    }

    [TearDown]
    public void Stop() => _victim.Dispose();

    [Test]
    public async Task Without_its_token_nothing_is_ended([Values("end", "end-all")] string field)
    {
        await _victim.StaysAsync(await Operator.PostAsync(Operator.Address, null, (field, _victim.Id)));
        await _victim.StaysAsync(await Operator.PostAsync(Operator.Address, null, (field, _victim.User)));
        Assert.That(App.Logs.Of(DashboardEvents.FormRefused), Is.Not.Empty);
    }

    [Test]
    public async Task With_a_made_up_token_nothing_is_ended() => await _victim.StaysAsync(
        await Operator.PostAsync(Operator.Address, (_page.Token!.Value.Name, "made up"), ("end", _victim.Id)));

    [Test]
    public async Task With_the_token_of_another_browser_nothing_is_ended()
    {
        using var attacker = new Operator(App);
        var token = (await attacker.GetAsync()).Token;
        await _victim.StaysAsync(await Operator.PostAsync(Operator.Address, token, ("end", _victim.Id)));
    }

    [Test]
    public async Task A_link_ends_nothing()
    {
        var token = _page.Token!.Value;
        string query = $"?end={_victim.Id}&end-all={Uri.EscapeDataString(_victim.User)}&{token.Name}={Uri.EscapeDataString(token.Value)}";
        Assert.That((await Operator.GetAsync(query)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await _victim.LivesAsync(), Is.True);
    }

    [Test]
    public async Task Other_methods_are_not_allowed([Values("PUT", "DELETE", "PATCH")] string method)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), Operator.Address);
        Assert.That((await Operator.SendAsync(request)).Status, Is.EqualTo(HttpStatusCode.MethodNotAllowed));
    }

    [Test]
    public async Task A_form_that_says_nothing_is_told_so()
    {
        Assert.That((await Operator.PressAsync(_page, "other", "x")).Text, Does.Contain("did not say what to do"));
        Assert.That((await Operator.PressAsync(_page, "end", "")).Status, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Sessions_that_are_chosen_end_by_their_own_button_and_by_no_other()
    {
        using var other = await Victim.SignInAsync(App);
        using var third = await Victim.SignInAsync(App);
        (string, string)[] chosen = [("chosen", _victim.Id), ("chosen", other.Id), ("chosen", "no id"), ("chosen", _victim.Id)];
        Assert.That((await PostAsync(chosen)).Text, Does.Contain("did not say what to do"));
        await Operator.FollowAsync(await PostAsync([.. chosen, ("end", third.Id)]));
        Assert.That((await _victim.LivesAsync(), await other.LivesAsync(), await third.LivesAsync()), Is.EqualTo((true, true, false)));

        var after = await Operator.FollowAsync(await PostAsync([.. chosen, ("end-chosen", "yes")]));
        Assert.That(after.Text, Does.Contain("2 sessions ended."));
        Assert.That((await _victim.LivesAsync(), await other.LivesAsync()), Is.EqualTo((false, false)));
        Assert.That(LogsAbout(_victim.Id, DashboardEvents.SessionEnded).Count(), Is.EqualTo(1));

        Assert.That((await PostAsync(("end-chosen", "yes"))).Status, Is.EqualTo(HttpStatusCode.BadRequest));

        Task<Operator.Page> PostAsync(params (string, string)[] fields) => Operator.PostAsync(Operator.Address, _page.Token, fields);
    }

    [TestCase("application/json", "{\"end\":\"ID\"}")]
    [TestCase("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"end\"\r\n\r\nID")] // broken off
    [TestCase("multipart/form-data", "end=ID")]
    [TestCase("multipart/form-data; boundary=", "end=ID")]
    [TestCase("application/x-www-form-urlencoded; charset=no-such-charset", "end=ID")]
    public async Task What_is_no_form_or_no_whole_one_ends_nothing_and_is_told_so(string type, string text)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Operator.Address);
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(text.Replace("ID", _victim.Id, StringComparison.Ordinal)));
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        await _victim.StaysAsync(await Operator.SendAsync(request));
    }

    [Test]
    public async Task A_form_with_more_fields_than_an_application_takes_is_told_so([Values(1025, 5000)] int fields)
    {
        var many = Enumerable.Repeat(("chosen", _victim.Id), fields).Append(("end-chosen", "yes")).ToArray();
        await _victim.StaysAsync(await Operator.PostAsync(Operator.Address, _page.Token, many));
    }

    /// <summary>Where it leads is made here, whatever the query says.</summary>
    [Test]
    public async Task The_way_back_stays_on_the_page()
    {
        var address = new Uri(Operator.Address, "?q=https://evil.example/&after=//evil.example&back=https://evil.example");
        var back = await Operator.PostAsync(address, _page.Token, ("end", "nobody's"));
        Assert.That(back.Headers.Location!.OriginalString, Is.EqualTo("?q=https%3A%2F%2Fevil.example%2F&after=%2F%2Fevil.example&ended=0"));
    }

    /// <summary>Somebody's session, which no form is to end.</summary>
    private sealed class Victim(Browser browser, string id, string user) : IDisposable
    {
        public string Id => id;

        public string User => user;

        public static async Task<Victim> SignInAsync(TestApp app)
        {
            string user = Somebody.New();
            var browser = app.NewBrowser();
            return new(browser, await browser.BeginAsAsync(user, "name", user), user);
        }

        public Task<bool> LivesAsync() => browser.VisitAsync(session => session.GetString("name") == user);

        public async Task StaysAsync(Operator.Page answer)
        {
            Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.BadRequest));
            Assert.That(answer.Text, Does.Contain("Nothing was done"));
            Assert.That(await LivesAsync(), Is.True);
        }

        public void Dispose() => browser.Dispose();
    }
}
