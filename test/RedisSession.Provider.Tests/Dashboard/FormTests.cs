using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Http;
using RedisSession.Provider.Dashboard;

namespace RedisSession.Provider.Tests;

/// <summary>Forms that are not the page's own do nothing.</summary>
[TestFixture]
[Parallelizable]
internal sealed class FormTests
{
    private TestApp _app = null!;

    [OneTimeSetUp]
    public async Task Start() => _app = await DashboardApp.StartAsync(ServerKind.Garnet);

    [OneTimeTearDown]
    public async Task Stop() => await _app.DisposeAsync();

    [Test]
    public async Task Without_its_token_nothing_is_ended([Values("end", "end-all")] string field)
    {
        using var session = await Victim.SignInAsync(_app);
        using var @operator = new Operator(_app);
        await @operator.GetAsync(); // there is a cookie
        await session.StaysAsync(await @operator.PostAsync(@operator.Address, null, (field, session.Id)));
        await session.StaysAsync(await @operator.PostAsync(@operator.Address, null, (field, session.User)));
        Assert.That(_app.Logs.Of(DashboardEvents.FormRefused), Is.Not.Empty);
    }

    [Test]
    public async Task With_a_made_up_token_nothing_is_ended()
    {
        using var session = await Victim.SignInAsync(_app);
        using var @operator = new Operator(_app);
        var page = await @operator.GetAsync();
        await session.StaysAsync(await @operator.PostAsync(@operator.Address, (page.Token!.Value.Name, "made up"), ("end", session.Id)));
    }

    [Test]
    public async Task With_the_token_of_another_browser_nothing_is_ended()
    {
        using var session = await Victim.SignInAsync(_app);
        using var @operator = new Operator(_app);
        using var attacker = new Operator(_app);
        await @operator.GetAsync();
        var token = (await attacker.GetAsync()).Token;
        await session.StaysAsync(await @operator.PostAsync(@operator.Address, token, ("end", session.Id)));
    }

    [Test]
    public async Task What_is_no_form_ends_nothing()
    {
        using var session = await Victim.SignInAsync(_app);
        using var @operator = new Operator(_app);
        using var request = new HttpRequestMessage(HttpMethod.Post, @operator.Address);
        request.Content = JsonContent.Create(new { end = session.Id });
        await session.StaysAsync(await @operator.SendAsync(request));
    }

    [Test]
    public async Task A_link_ends_nothing()
    {
        using var session = await Victim.SignInAsync(_app);
        using var @operator = new Operator(_app);
        var token = (await @operator.GetAsync()).Token!.Value;
        string query = $"?end={session.Id}&end-all={Uri.EscapeDataString(session.User)}&{token.Name}={Uri.EscapeDataString(token.Value)}";
        Assert.That((await @operator.GetAsync(query)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await session.LivesAsync(), Is.True);
    }

    [Test]
    public async Task Other_methods_are_not_allowed([Values("PUT", "DELETE", "PATCH")] string method)
    {
        using var @operator = new Operator(_app);
        using var request = new HttpRequestMessage(new HttpMethod(method), @operator.Address);
        Assert.That((await @operator.SendAsync(request)).Status, Is.EqualTo(HttpStatusCode.MethodNotAllowed));
    }

    [Test]
    public async Task A_form_that_says_nothing_is_told_so()
    {
        using var @operator = new Operator(_app);
        var page = await @operator.GetAsync();
        Assert.That((await @operator.PressAsync(page, "other", "x")).Text, Does.Contain("did not say what to do"));
        Assert.That((await @operator.PressAsync(page, "end", "")).Status, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Sessions_that_are_chosen_end_by_their_own_button_and_by_no_other()
    {
        using var one = await Victim.SignInAsync(_app);
        using var other = await Victim.SignInAsync(_app);
        using var third = await Victim.SignInAsync(_app);
        using var @operator = new Operator(_app);
        var page = await @operator.GetAsync();
        (string, string)[] chosen = [("chosen", one.Id), ("chosen", other.Id), ("chosen", "no id"), ("chosen", one.Id)];
        var nothing = await @operator.PostAsync(@operator.Address, page.Token, chosen);
        Assert.That(nothing.Text, Does.Contain("did not say what to do"));
        await @operator.FollowAsync(await @operator.PostAsync(@operator.Address, page.Token, [.. chosen, ("end", third.Id)]));
        Assert.That((await one.LivesAsync(), await other.LivesAsync(), await third.LivesAsync()), Is.EqualTo((true, true, false)));

        var done = await @operator.PostAsync(@operator.Address, page.Token, [.. chosen, ("end-chosen", "yes")]);
        var after = await @operator.FollowAsync(done);
        Assert.That(after.Text, Does.Contain("2 sessions ended."));
        Assert.That((await one.LivesAsync(), await other.LivesAsync()), Is.EqualTo((false, false)));
        var logged = _app.Logs.Of(DashboardEvents.SessionEnded).Where(entry => entry.Message.Contains(one.Id, StringComparison.Ordinal));
        Assert.That(logged.Count(), Is.EqualTo(1));

        nothing = await @operator.PostAsync(@operator.Address, page.Token, ("end-chosen", "yes"));
        Assert.That(nothing.Status, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task A_form_that_is_broken_off_is_told_so()
    {
        using var session = await Victim.SignInAsync(_app);
        using var @operator = new Operator(_app);
        await @operator.GetAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, @operator.Address);
        request.Content = new StringContent("--x\r\nContent-Disposition: form-data; name=\"end\"\r\n\r\n" + session.Id);
        request.Content.Headers.ContentType = new("multipart/form-data") { Parameters = { new("boundary", "x") } };
        await session.StaysAsync(await @operator.SendAsync(request));
    }

    [TestCase("multipart/form-data")]
    [TestCase("multipart/form-data; boundary=")]
    [TestCase("application/x-www-form-urlencoded; charset=no-such-charset")]
    public async Task A_form_of_no_known_shape_is_told_so(string type)
    {
        using var session = await Victim.SignInAsync(_app);
        using var @operator = new Operator(_app);
        await @operator.GetAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, @operator.Address);
        request.Content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes($"end={session.Id}"));
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        await session.StaysAsync(await @operator.SendAsync(request));
    }

    [Test]
    public async Task A_form_with_more_fields_than_an_application_takes_is_told_so([Values(1025, 5000)] int fields)
    {
        using var session = await Victim.SignInAsync(_app);
        using var @operator = new Operator(_app);
        var page = await @operator.GetAsync();
        var many = Enumerable.Repeat(("chosen", session.Id), fields).Append(("end-chosen", "yes")).ToArray();
        await session.StaysAsync(await @operator.PostAsync(@operator.Address, page.Token, many));
    }

    /// <summary>Where it leads is made here, whatever the query says.</summary>
    [Test]
    public async Task The_way_back_stays_on_the_page()
    {
        using var @operator = new Operator(_app);
        var page = await @operator.GetAsync();
        var address = new Uri(@operator.Address, "?q=https://evil.example/&after=//evil.example&back=https://evil.example");
        var back = await @operator.PostAsync(address, page.Token, ("end", "nobody's"));
        string location = back.Headers.Location!.OriginalString;
        Assert.That(location, Is.EqualTo("?q=https%3A%2F%2Fevil.example%2F&after=%2F%2Fevil.example&ended=0"));
    }

    /// <summary>Somebody's session, which no form is to end.</summary>
    private sealed class Victim(Browser browser, string id, string user) : IDisposable
    {
        public string Id => id;

        public string User => user;

        public static async Task<Victim> SignInAsync(TestApp app)
        {
            string user = $"user {Guid.NewGuid()}";
            var browser = app.NewBrowser();
            string id = await browser.VisitAsAsync(user, session =>
            {
                session.SetString("name", user);
                return session.Id;
            });
            return new(browser, id, user);
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
