using System.IO.Compression;
using System.Net.WebSockets;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace RedisSession.Provider.Tests;

/// <summary>What else of ASP.NET Core is in a pipeline with sessions, and uses them or stands around them.</summary>
[TestFixtureSource(nameof(Stacks))]
internal sealed partial class NeighbourTests(Pipeline pipeline, RedisSessionMode mode, FailureMode failureMode) : OwningFixture
{
    private TestApp _app = null!;

    private static IEnumerable<TestFixtureData> Stacks =>
        from pipeline in (Pipeline[])[Pipeline.UseSession, Pipeline.UseRedisHashSession]
        from mode in Enum.GetValues<RedisSessionMode>()
        from failureMode in Enum.GetValues<FailureMode>()
        select new TestFixtureData(pipeline, mode, failureMode);

    [OneTimeSetUp]
    public async Task StartApp() => _app = Owned.Add(await StartAsync(HttpProtocols.Http1));

    private Task<TestApp> StartAsync(HttpProtocols protocols) => new OurStack(ServerKind.Garnet).StartAsync(
        options => (options.Mode, options.FailureMode) = (mode, failureMode),
        services =>
        {
            services.Configure<KestrelServerOptions>(options => options.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = protocols));
            services.AddSignalR();
            services.AddControllers().AddApplicationPart(typeof(NeighbourTests).Assembly)
                .ConfigureApplicationPartManager(parts => parts.FeatureProviders.Add(new OnlyTempData()));
            services.AddControllersWithViews().AddSessionStateTempDataProvider();
            services.AddRazorPages().ConfigureApplicationPartManager(
                parts => parts.ApplicationParts.Add(new CompiledRazorAssemblyPart(typeof(NoticePage).Assembly)));
            services.AddRazorComponents();
            services.AddAntiforgery();
            services.AddOutputCache();
            services.AddResponseCompression();
        },
        app =>
        {
            app.UseResponseCompression();
            app.UsePathBase("/base");
            app.UseWebSockets();
            app.UseRouting();
            app.Use(pipeline);
            app.UseOutputCache();
            app.UseAntiforgery();
            app.UseEndpoints(endpoints =>
            {
                endpoints.MapHub<Hub>("/hub");
                endpoints.MapControllers();
                endpoints.MapRazorPages();
                endpoints.MapRazorComponents<VisitPage>();
                endpoints.MapMethods("/count", ["GET", "HEAD", "OPTIONS"], CountAsync);
                endpoints.MapGet("/cached", CountAsync).CacheOutput();
                endpoints.MapGet("/events", EventsAsync);
                endpoints.MapGet("/socket", SocketAsync);
                endpoints.MapGet("/token", (HttpContext context, IAntiforgery antiforgery) =>
                {
                    context.Session.SetString("form", "open");
                    return antiforgery.GetAndStoreTokens(context).RequestToken;
                });
                endpoints.MapPost("/form", ([FromForm] string text, HttpContext context) => context.Session.GetString("form") + text);
            });
        });

    [Test]
    public async Task SignalR(
        [Values(HttpTransportType.WebSockets, HttpTransportType.ServerSentEvents, HttpTransportType.LongPolling)] HttpTransportType transport)
    {
        using var visitor = await ArriveAsync();
        await using var connection = new HubConnectionBuilder()
            .WithUrl(new Uri(_app.Address, "/hub"), transport, options => options.Cookies = visitor.Cookies).Build();
        await connection.StartAsync();
        if (transport == HttpTransportType.LongPolling)
        {
            // Its hub gets a copy of the request, without a session.
            Assert.That(await connection.InvokeAsync<string>("Plain", "text"), Is.EqualTo("text"));
        }
        else
        {
            Assert.That(await connection.InvokeAsync<long>("Count"), Is.EqualTo(2));
            Assert.That(await visitor.GetAsync("/count"), Is.EqualTo("3"), "while the hub's request goes on");
            Assert.That(await connection.InvokeAsync<long>("Count"), Is.EqualTo(4));
        }

        await connection.StopAsync();
        Assert.That(int.Parse(await visitor.GetAsync("/count"), CultureInfo.InvariantCulture), Is.GreaterThan(1));
    }

    [Test]
    public async Task Server_sent_events()
    {
        using var visitor = await ArriveAsync();
        Assert.That(await visitor.GetAsync("/events"), Is.EqualTo("data: 2\n\ndata: 3\n\ndata: 4\n\n"));
        Assert.That(await visitor.GetAsync("/count"), Is.EqualTo("5"));
    }

    [Test]
    public async Task WebSockets()
    {
        using var visitor = await ArriveAsync();
        using var socket = new ClientWebSocket { Options = { Cookies = visitor.Cookies } };
        await socket.ConnectAsync(new UriBuilder(new Uri(_app.Address, "/socket")) { Scheme = "ws" }.Uri, default);
        for (int i = 2; i < 5; i++)
        {
            await socket.SendAsync("count"u8.ToArray(), WebSocketMessageType.Text, true, default);
            byte[] buffer = new byte[100];
            var received = await socket.ReceiveAsync(buffer, default);
            Assert.That(Encoding.UTF8.GetString(buffer, 0, received.Count), Is.EqualTo($"{i}"));
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        Assert.That(await visitor.GetAsync("/count"), Is.EqualTo("5"));
    }

    [TestCase("/tempdata", Description = "MVC")]
    [TestCase("/notice", Description = "Razor Pages")]
    public async Task TempData_survives_the_redirect_and_no_longer(string path)
    {
        using var visitor = new Visitor(_app.Address);
        Assert.That(await visitor.PostAsync(path, []), Is.EqualTo("saved"));
        Assert.That(await visitor.GetAsync(path), Is.EqualTo("none"));
    }

    [Test]
    public async Task Blazor_renders_statically_streams_and_takes_an_enhanced_form()
    {
        using var visitor = new Visitor(_app.Address);
        string page = await visitor.GetAsync("/page");
        Assert.That(page, Does.Contain("visit 1, then loaded 1"));

        // What is streamed has the form once more.
        var fields = Field().Matches(page).DistinctBy(match => match.Groups[1].Value)
            .ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        string posted = await visitor.PostAsync("/page", fields, request => request.Headers.Add("blazor-enhanced-nav", "on"));
        Assert.That(posted, Does.Contain("posted in visit 2"));
        Assert.That(await visitor.GetAsync("/page"), Does.Contain("visit 3"));
    }

    [Test]
    public async Task Antiforgery()
    {
        using var visitor = new Visitor(_app.Address);
        string token = await visitor.GetAsync("/token");
        Assert.That(await visitor.PostAsync("/form", new() { ["__RequestVerificationToken"] = token, ["text"] = "!" }), Is.EqualTo("open!"));
    }

    [Test]
    public async Task Output_caching_and_compression_keep_visitors_apart()
    {
        using var first = new Visitor(_app.Address);
        using var second = new Visitor(_app.Address);
        Assert.That(await first.GetAsync("/cached"), Is.EqualTo("1"));
        string cookie = first.SessionCookie;
        string body = await first.GetAsync("/count?long=1", request => request.Headers.AcceptEncoding.ParseAdd("gzip"), isCompressed: true);
        Assert.That(body, Does.StartWith("2").And.Length.GreaterThan(5_000));
        Assert.That(await second.GetAsync("/cached"), Is.EqualTo("1"), "what begins a session is not cached");
        Assert.That(second.SessionCookie, Is.Not.EqualTo(cookie));
    }

    [Test]
    public async Task HEAD_OPTIONS_and_a_base_path_have_the_session_too()
    {
        using var visitor = new Visitor(_app.Address);
        await visitor.SendAsync(new(HttpMethod.Head, "/count"));
        await visitor.SendAsync(new(HttpMethod.Options, "/base/count"));
        Assert.That(await visitor.GetAsync("/base/count"), Is.EqualTo("3"));
        Assert.That(await visitor.GetAsync("/count"), Is.EqualTo("4"));
    }

    [Test]
    public async Task Requests_that_the_client_aborts_leave_a_whole_session()
    {
        using var visitor = await ArriveAsync();
        await Parallel.ForAsync(0, 100, async (i, _) =>
        {
            using var abort = new CancellationTokenSource();
            var request = visitor.SendAsync(new(HttpMethod.Get, i % 2 == 0 ? "/count?long=1" : "/events"), abort.Token);
            for (int n = 0; n < i % 10; n++) await Task.Yield();
            await abort.CancelAsync();
            await Attempt.IsDoneAsync(() => request, error => error is OperationCanceledException or HttpRequestException);
        });
        Assert.That(int.Parse(await visitor.GetAsync("/count"), CultureInfo.InvariantCulture), Is.GreaterThan(1));
        Assert.That(_app.Logs.All.Where(entry => entry.Error is ObjectDisposedException or NullReferenceException), Is.Empty);
    }

    [Test]
    public async Task Two_hundred_visitors_share_one_connection_of_HTTP2_and_no_session()
    {
        await using var app = await StartAsync(HttpProtocols.Http2);
        await SharedClient.VisitAsync(app.Address, HttpVersion.Version20, visitors: 200, visits: 4, (_, visit) => ("/count", $"{visit}"));
    }

    /// <summary>A visitor who has been counted once.</summary>
    private async Task<Visitor> ArriveAsync()
    {
        var visitor = new Visitor(_app.Address);
        Assert.That(await visitor.GetAsync("/count"), Is.EqualTo("1"));
        return visitor;
    }

    private static async Task CountAsync(HttpContext context)
    {
        long count = await context.Session.IncrementAsync("count");
        string text = $"{count}";
        if (context.Request.Query.ContainsKey("long")) text += new string(' ', 10_000);
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(text);
    }

    private static async Task EventsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.Body.FlushAsync();
        for (int i = 0; i < 3; i++)
        {
            context.Session.SetValue("count", await context.Session.GetIntAsync("count") + 1);
            await context.Session.CommitAsync();
            await context.Response.WriteAsync($"data: {context.Session.GetInt("count")}\n\n");
            await context.Response.Body.FlushAsync();
        }
    }

    private static async Task SocketAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        byte[] buffer = new byte[100];
        while ((await socket.ReceiveAsync(buffer, default)).MessageType != WebSocketMessageType.Close)
        {
            long count = await context.Session.IncrementAsync("count");
            await socket.SendAsync(Encoding.UTF8.GetBytes($"{count}"), WebSocketMessageType.Text, true, default);
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\"")]
    private static partial Regex Field();

    /// <summary>A client that follows redirects and keeps its cookies.</summary>
    private sealed class Visitor : IDisposable
    {
        private readonly HttpClientHandler _handler = new();
        private readonly HttpClient _client;

        public Visitor(Uri address) => _client = new(_handler) { BaseAddress = address };

        public CookieContainer Cookies => _handler.CookieContainer;

        public string SessionCookie => Cookies.GetAllCookies().Single(cookie => cookie.Name == ".AspNetCore.Session").Value;

        public async Task<string> GetAsync(string path, Action<HttpRequestMessage>? prepare = null, bool isCompressed = false)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            prepare?.Invoke(request);
            using var response = await SendAsync(request);
            Assert.That(response.Content.Headers.ContentEncoding.Contains("gzip"), Is.EqualTo(isCompressed));
            if (!isCompressed) return await response.Content.ReadAsStringAsync(CancellationToken.None);
            using var reader = new StreamReader(new GZipStream(await response.Content.ReadAsStreamAsync(), CompressionMode.Decompress));
            return await reader.ReadToEndAsync();
        }

        public async Task<string> PostAsync(string path, Dictionary<string, string> form, Action<HttpRequestMessage>? prepare = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(form) };
            prepare?.Invoke(request);
            using var response = await SendAsync(request);
            return await response.Content.ReadAsStringAsync(CancellationToken.None);
        }

        public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken = default) =>
            (await _client.SendAsync(request, cancellationToken)).EnsureSuccessStatusCode();

        public void Dispose() => _client.Dispose();
    }

    private sealed class Hub : Microsoft.AspNetCore.SignalR.Hub
    {
        public string Plain(string text) => Context.ConnectionId.Length > 0 ? text : "";

        public Task<long> Count() => Context.GetHttpContext()!.Session.IncrementAsync("count");
    }

    private sealed class OnlyTempData : IApplicationFeatureProvider<ControllerFeature>
    {
        public void PopulateFeature(IEnumerable<ApplicationPart> parts, ControllerFeature feature) =>
            feature.Controllers.Add(typeof(TempDataPages).GetTypeInfo());
    }

    [Microsoft.AspNetCore.Mvc.Route("/tempdata")]
    private sealed class TempDataPages : Controller
    {
        [HttpPost]
        [IgnoreAntiforgeryToken]
        public RedirectResult Save()
        {
            TempData["notice"] = "saved";
            return Redirect("/tempdata");
        }

        [HttpGet]
        public ContentResult Show() => Content(TempData["notice"] as string ?? "none");
    }
}
