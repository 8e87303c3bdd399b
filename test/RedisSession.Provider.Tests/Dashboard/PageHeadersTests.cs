using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider.Tests;

/// <summary>What the browser is told a page may do.</summary>
internal sealed class PageHeadersTests() : DashboardFixture(ServerKind.Garnet)
{
    private static readonly string[] Queries =
        ["", "?q=ann", "?who=users&sort=-size&refresh=5", "?session=x", "?after=x", "POST", "closed", "own"];

    [TestCaseSource(nameof(Queries))]
    public async Task Every_page_may_show_itself_and_send_its_forms_and_nothing_else(string query)
    {
        var page = await GetAsync(query);
        string policy = page.Headers.GetValues("Content-Security-Policy").Single();
        string style = page.Html.Split("<style>")[1].Split("</style>")[0];
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        Assert.That(policy.Split("; "), Is.EquivalentTo(
        [
            "default-src 'none'", $"style-src 'sha256-{hash}'", "img-src data:",
            "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
        ]));
        using var scope = Assert.EnterMultipleScope();
        Assert.That(page.Headers.GetValues("X-Content-Type-Options"), Is.EqualTo(["nosniff"]));
        Assert.That(page.Headers.GetValues("X-Frame-Options"), Is.EqualTo(["DENY"]));
        Assert.That(page.Headers.GetValues("Referrer-Policy"), Is.EqualTo(["no-referrer"]));
        Assert.That(page.Headers.CacheControl!.NoStore, Is.True);
        Assert.That(page.Headers.Vary, Is.EqualTo(["Accept"]));
        Assert.That(page.ContentHeaders.ContentType!.ToString(), Is.EqualTo("text/html; charset=utf-8"));
        Assert.That(page.Html, Does.Not.Contain("<script").And.Not.Contain(" style=").And.Not.Match(" on[a-z]+="));
        Assert.That(page.Html, Does.Not.Match("(src|href|action)=\"(?!\\?|#|data:image/svg)"), "all links lead to the page itself");
    }

    /// <summary>ASP.NET Core's output cache looks at no headers of responses, and answers before anybody is asked who may see it.</summary>
    [Test]
    public async Task Nor_does_an_application_that_caches_all_pages_keep_this_one()
    {
        await using var app = await DashboardApp.StartAsync(
            ServerKind.Garnet,
            add: services => services.AddOutputCache(options => options.AddBasePolicy(policy => policy.Expire(TimeSpan.FromMinutes(1)))),
            use: pipeline => pipeline.UseOutputCache());
        using var @operator = new Operator(app);
        var first = await @operator.GetAsync();
        var second = await @operator.GetAsync(); // as a page with a new cookie is not kept
        Assert.That((first.Status, second.Status), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.OK)));
        var page = await @operator.GetAsync("", request => request.Headers.Add("X-Forwarded-For", "203.0.113.7"));
        Assert.That(page.Status, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    private async Task<Operator.Page> GetAsync(string query)
    {
        if (query == "POST") return await Operator.PostAsync(Operator.Address, null);
        if (query == "closed")
        {
            await using var closed = await DashboardApp.StartAsync(ServerKind.Garnet, environment: Environments.Production);
            using var refused = new Operator(closed);
            return await refused.GetAsync();
        }

        if (query != "own") return await Operator.GetAsync(query);
        var own = await Operator.GetAsync($"?session={await NewSessionAsync()}&values=shown");
        Assert.That(own.Status, Is.EqualTo(HttpStatusCode.OK));
        return own;
    }
}
