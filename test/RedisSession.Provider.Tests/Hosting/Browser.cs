using System.Net;
using Microsoft.AspNetCore.Http;

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
    public async Task<HttpResponseMessage> SendAsync(Func<HttpContext, Task> work, string path = "/") =>
        (await RequestAsync(work, path)).Response;

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

    /// <summary>Begins a session with one key; returns its id.</summary>
    public Task<string> BeginAsync(string key = "key", string value = "1") => VisitAsync(session =>
    {
        session.SetString(key, value);
        return session.Id;
    });

    private Task<(HttpResponseMessage Response, Exception? Thrown)> RequestAsync(
        Func<HttpContext, Task> work, string path = "/", CancellationToken cancellationToken = default) =>
        _app.SendAsync(_client, new HttpRequestMessage(HttpMethod.Get, new Uri(_app.Address, path)), work, cancellationToken);

    public void Dispose()
    {
        _client.Dispose();
        _handler.Dispose();
    }
}
