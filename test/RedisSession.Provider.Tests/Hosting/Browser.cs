namespace RedisSession.Provider.Tests;

/// <summary>A visitor: cookies, and requests whose work inside the application the test says.</summary>
internal sealed class Browser : IDisposable
{
    private readonly HttpClientHandler _handler = new() { CookieContainer = new CookieContainer() };
    private readonly HttpClient _client;
    private TestApp _app;

    public Browser(TestApp app)
    {
        _app = app;
        _client = new HttpClient(_handler);
    }

    public CookieContainer Cookies => _handler.CookieContainer;

    /// <summary>The session cookie as it stands, or null.</summary>
    public Cookie? SessionCookie => Cookies.GetAllCookies().FirstOrDefault(cookie => cookie.Name == ".AspNetCore.Session");

    /// <summary>The id of the session that it leads to.</summary>
    public string SessionId => Provider.SessionId.Of(TestApp.SessionKeyIn(SessionCookie!.Value));

    /// <summary>Goes on at another instance of the application, with the same cookies. (Cookies do not tell ports apart.)</summary>
    public Browser At(TestApp app)
    {
        _app = app;
        return this;
    }

    /// <summary>Another visitor with the same session cookie: a second tab, or a thief.</summary>
    public Browser Twin()
    {
        var twin = new Browser(_app);
        twin.Cookies.Add(_app.Address, new Cookie(SessionCookie!.Name, SessionCookie.Value));
        return twin;
    }

    /// <summary>One request; returns the response, whatever it is.</summary>
    public async Task<HttpResponseMessage> SendAsync(Func<HttpContext, Task> work, string path = "/") => (await RequestAsync(work, path)).Response;

    /// <summary>The same with work that is done at once.</summary>
    public Task<HttpResponseMessage> SendAsync(Action<HttpContext> work, string path = "/") => SendAsync(
        context =>
        {
            work(context);
            return Task.CompletedTask;
        },
        path);

    /// <summary>One request; returns what is on the page, whatever it is.</summary>
    public async Task<(HttpStatusCode Status, string Body)> PageAsync(string path, Func<HttpContext, Task>? work = null)
    {
        using var response = await SendAsync(work ?? (_ => Task.CompletedTask), path);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>One request that must succeed, whose work is asynchronous, of a visitor who may not wait for it.</summary>
    public async Task VisitAsync(Func<HttpContext, Task> work, CancellationToken cancellationToken = default)
    {
        var (response, thrown) = await RequestAsync(work, cancellationToken: cancellationToken);
        using (response)
        {
            if (thrown is not null) throw new InvalidOperationException("The request's work threw.", thrown);
            response.EnsureSuccessStatusCode();
        }
    }

    /// <summary>One request that must succeed, whose work answers something.</summary>
    public async Task<T> VisitAsync<T>(Func<HttpContext, Task<T>> work)
    {
        T? answer = default;
        await VisitAsync(async context => { answer = await work(context); });
        return answer!;
    }

    /// <summary>One request that must succeed, through the synchronous API of its session.</summary>
    public Task VisitAsync(Action<ISession> work) => VisitAsync(context =>
    {
        work(context.Session);
        return Task.CompletedTask;
    });

    /// <summary>One request that must succeed and answers something, through the synchronous API of its session.</summary>
    public Task<T> VisitAsync<T>(Func<ISession, T> work) => VisitAsync(context => Task.FromResult(work(context.Session)));

    /// <summary>One request that sets a key, and begins a session if there is none; returns the id of its session.</summary>
    public Task<string> SetStringAsync(string key = "key", string value = "1") => VisitAsync(session =>
    {
        session.SetString(key, value);
        return session.Id;
    });

    public Task<string?> GetStringAsync(string key) => VisitAsync(session => session.GetString(key));

    /// <summary>What the next request finds: <c>a=1 b=2</c>, in the order of the keys.</summary>
    public Task<string> ContentAsync() => VisitAsync(ContentOf);

    public static string ContentOf(ISession session) =>
        string.Join(' ', session.Keys.Order(StringComparer.Ordinal).Select(key => $"{key}={session.GetString(key)}"));

    /// <summary>Requests until one succeeds: Redis is there again.</summary>
    public Task UntilServedAsync(Func<HttpContext, Task> work) => Assert.ThatAsync(
        async () =>
        {
            using var response = await SendAsync(work);
            return response.IsSuccessStatusCode;
        },
        Is.True.After(20_000, 20));

    private Task<(HttpResponseMessage Response, Exception? Thrown)> RequestAsync(
        Func<HttpContext, Task> work, string path = "/", CancellationToken cancellationToken = default) =>
        _app.SendAsync(_client, new HttpRequestMessage(HttpMethod.Get, new Uri(_app.Address, path)), work, cancellationToken);

    public void Dispose()
    {
        _client.Dispose();
        _handler.Dispose();
    }
}
