using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests;

/// <summary>A browser at the sessions page: keeps cookies, follows no redirect by itself, and sends forms as it finds them.</summary>
internal sealed partial class Operator : IDisposable
{
    private readonly HttpClient _client;

    public Operator(TestApp app, string path = "/sessions", HttpMessageHandler? handler = null)
    {
        _client = new(handler ?? new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() });
        Address = new(app.Address, path);
    }

    public Uri Address { get; }

    public async Task<Page> GetAsync(string query = "", Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, query));
        change?.Invoke(request);
        return await SendAsync(request);
    }

    /// <summary>All pages of the list: in the database of the tests there are many keys, and a session can be on any page.</summary>
    public async Task<IReadOnlyList<Page>> LeafThroughAsync(string query = "")
    {
        var pages = new List<Page> { await GetAsync(query) };
        while (pages[^1].Next is { } next) pages.Add(await GetAsync(next));
        return pages;
    }

    /// <summary>Presses the button of a page that sends this field.</summary>
    public Task<Page> PressAsync(Page page, string field, string value) => PostAsync(page.Address, page.Token, (field, value));

    public async Task<Page> PostAsync(Uri address, (string Name, string Value)? token, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new FormUrlEncodedContent(
                (token is null ? fields : [.. fields, token.Value]).Select(field => KeyValuePair.Create(field.Name, field.Value))),
        };
        return await SendAsync(request);
    }

    public async Task<Page> SendAsync(HttpRequestMessage request)
    {
        using var response = await _client.SendAsync(request);
        string html = await response.Content.ReadAsStringAsync();
        return new(request.RequestUri!, response.StatusCode, response.Headers, response.Content.Headers, html);
    }

    /// <summary>Where a form has led to.</summary>
    public Task<Page> FollowAsync(Page redirect)
    {
        Assert.That(redirect.Status, Is.EqualTo(HttpStatusCode.SeeOther));
        return GetAsync(redirect.Headers.Location!.OriginalString);
    }

    public void Dispose() => _client.Dispose();

    internal sealed partial record Page(
        Uri Address,
        HttpStatusCode Status,
        System.Net.Http.Headers.HttpResponseHeaders Headers,
        System.Net.Http.Headers.HttpContentHeaders ContentHeaders,
        string Html)
    {
        /// <summary>The antiforgery token of its form.</summary>
        public (string Name, string Value)? Token =>
            TokenField().Match(Html) is { Success: true } match ? (match.Groups["name"].Value, match.Groups["value"].Value) : null;

        /// <summary>The ids of the sessions that its table links to.</summary>
        public IReadOnlyList<string> Ids => [.. IdLink().Matches(Html).Select(match => match.Groups["id"].Value)];

        /// <summary>Where the page that follows is, or null.</summary>
        public string? Next => NextLink().Match(Html) is { Success: true } match ? WebUtility.HtmlDecode(match.Groups["link"].Value) : null;

        /// <summary>What a person reads.</summary>
        public string Text => WebUtility.HtmlDecode(Tag().Replace(Html[Html.IndexOf("<body>", StringComparison.Ordinal)..], ""));

        [GeneratedRegex("""<form id="act" method="post"><input type="hidden" name="(?<name>[^"]+)" value="(?<value>[^"]+)"></form>""")]
        private static partial Regex TokenField();

        [GeneratedRegex("""<th scope="row" role="rowheader"><a class="id" href="\?session=(?<id>[\w-]{43})[^"]*" title="\k<id>">""")]
        private static partial Regex IdLink();

        [GeneratedRegex("""<a class="next" rel="next" href="(?<link>[^"]+)">""")]
        private static partial Regex NextLink();

        [GeneratedRegex("<[^>]*>")]
        private static partial Regex Tag();
    }
}
