using System.Net.Sockets;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using RedisSession.Provider.Dashboard;

namespace RedisSession.Provider.Tests;

/// <summary>Who sees the sessions page, and who does not.</summary>
internal sealed class ClosedByDefaultTests
{
    [TestCase("127.0.0.1", "127.0.0.1", "localhost", ExpectedResult = true)]
    [TestCase("127.0.0.9", "127.0.0.1", "LOCALHOST:5080", ExpectedResult = true)]
    [TestCase("::1", "::1", "[::1]:5080", ExpectedResult = true)]
    [TestCase("::ffff:127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1", ExpectedResult = true)]
    [TestCase("192.168.1.5", "192.168.1.5", "192.168.1.5", ExpectedResult = true)]
    [TestCase("127.0.0.1", "127.0.0.1", "shop.localhost", ExpectedResult = true)]
    [TestCase("192.168.1.5", "192.168.1.6", "192.168.1.6", ExpectedResult = false)]
    [TestCase("192.168.1.5", null, "localhost", ExpectedResult = false)]
    [TestCase(null, null, "localhost", ExpectedResult = false)]
    [TestCase(null, "127.0.0.1", "localhost", ExpectedResult = false)]
    [TestCase("127.0.0.1", null, "localhost", ExpectedResult = false)]
    [TestCase("127.0.0.1", "192.168.1.6", "localhost", ExpectedResult = false)]
    [TestCase("127.0.0.1", "127.0.0.1", "shop.example", ExpectedResult = false)]
    [TestCase("127.0.0.1", "127.0.0.1", "localhost.example", ExpectedResult = false)]
    [TestCase("127.0.0.1", "127.0.0.1", "notlocalhost", ExpectedResult = false)]
    [TestCase("127.0.0.1", "127.0.0.1", "", ExpectedResult = false)]
    public bool In_Development_without_a_policy_this_machine_is_let_in_and_no_other(string? remote, string? local, string host) =>
        IsOpen(RequestFrom(remote, local, host), Environments.Development);

    [Test]
    public void A_request_that_has_come_through_a_proxy_is_from_nobody_knows_where([Values(
        "Forwarded", "X-Forwarded-For", "x-forwarded-for", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-For", "X-Real-IP", "Via",
        "CF-Connecting-IP", "True-Client-IP")] string header)
    {
        var context = RequestFrom();
        Assert.That(IsOpen(context, Environments.Development), Is.True);
        context.Request.Headers[header] = "127.0.0.1";
        Assert.That(IsOpen(context, Environments.Development), Is.False);
    }

    /// <summary>In the developer's own browser, from his own machine.</summary>
    [Test]
    public async Task In_Development_a_script_of_another_site_reads_nothing_although_the_application_lets_every_site_read(
        [Values("https://evil.example", "null")] string origin)
    {
        await using var app = await DashboardApp.StartAsync(
            ServerKind.Garnet, add: services => services.AddCors(), use: pipeline => pipeline.UseCors(policy => policy.AllowAnyOrigin()));
        using var browser = await app.NewVisitorAsync(key: "name", value: "ann");
        using var @operator = new Operator(app);
        IsClosed(await @operator.GetAsync("", request => request.Headers.Add("Origin", origin)));

        // As browsers send the page's own forms, which are not to have a referrer.
        var post = RequestFrom();
        post.Request.Method = HttpMethods.Post;
        post.Request.Headers.Origin = "null";
        Assert.That(IsOpen(post, Environments.Development), Is.True);
    }

    [Test]
    public void In_other_environments_nobody_is_let_in_without_a_policy([Values("Production", "Staging", "Anything")] string environment) =>
        Assert.That(IsOpen(RequestFrom(), environment), Is.False);

    private static bool IsOpen(HttpContext context, string environment) =>
        ClosedByDefault.Refuses(context, new HostingEnvironment { EnvironmentName = environment }) is null;

    private static DefaultHttpContext RequestFrom(string? remote = "127.0.0.1", string? local = "127.0.0.1", string host = "localhost")
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = remote is null ? null : IPAddress.Parse(remote);
        context.Connection.LocalIpAddress = local is null ? null : IPAddress.Parse(local);
        context.Request.Host = new HostString(host);
        return context;
    }

    [Test]
    public async Task Who_is_refused_is_told_why_and_what_to_do_and_sees_no_session()
    {
        await using var app = await DashboardApp.StartAsync(ServerKind.Garnet, environment: Environments.Production);
        using var browser = app.NewBrowser();
        string id = await browser.VisitAsAsync("ann", DashboardFixture.Fill);
        using var @operator = new Operator(app);
        foreach (string query in (string[])["", "?q=ann", $"?session={id}&values=shown", "?after=x"])
        {
            var page = await @operator.GetAsync(query);
            Assert.That(page.Status, Is.EqualTo(HttpStatusCode.Forbidden), query);
            Assert.That(page.Text, Does.Contain("no authorization policy").And.Contain("Production").And.Contain("RequireAuthorization"));
            Assert.That(page.Html, Does.Not.Contain("ann<").And.Not.Contain(id));
        }

        var post = await @operator.PostAsync(@operator.Address, null, ("end", id));
        Assert.That(post.Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(await browser.VisitAsync(session => session.GetString("name")), Is.EqualTo("ann"));
        Assert.That(app.Logs.Of(DashboardEvents.Refused), Has.Count.EqualTo(5));
    }

    [Test]
    public async Task In_Development_what_comes_through_a_proxy_or_by_a_name_is_refused_on_a_real_server_too()
    {
        await using var app = await DashboardApp.StartAsync(ServerKind.Garnet);
        using var @operator = new Operator(app);
        Assert.That((await @operator.GetAsync()).Status, Is.EqualTo(HttpStatusCode.OK));
        var forwarded = await @operator.GetAsync("", request => request.Headers.Add("X-Forwarded-For", "127.0.0.1"));
        var rebound = await @operator.GetAsync("", request => request.Headers.Host = "evil.example");
        Assert.That((forwarded.Status, rebound.Status), Is.EqualTo((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden)));
    }

    /// <summary>
    /// On a Unix socket there is a proxy, and what it passes on is believed: the forwarded headers make an address of what anybody sends,
    /// and leave no mark, as there was no address to be kept.
    /// </summary>
    [Test]
    public async Task In_Development_on_a_Unix_socket_nobody_is_local_whatever_he_says()
    {
        string socket = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.sock");
        var builder = await DevelopmentAsync();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket));
        await using var app = builder.Build();
        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.All };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        app.UseForwardedHeaders(forwarded);
        app.MapRedisSessions();
        await app.StartAsync();
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            },
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://localhost/sessions");
        request.Headers.Add("X-Forwarded-For", "127.0.0.1");
        using var response = await client.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    /// <summary>Nothing is known of where its requests come from.</summary>
    [Test]
    public async Task A_test_server_is_refused_in_Development()
    {
        var builder = await DevelopmentAsync();
        builder.WebHost.UseTestServer();
        await using var app = builder.Build();
        app.MapRedisSessions();
        await app.StartAsync();
        using var response = await app.GetTestClient().GetAsync(new Uri("/sessions", UriKind.Relative));
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    private static async Task<WebApplicationBuilder> DevelopmentAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false", "--environment=Development"]);
        builder.Services.AddRedisHashSession((await TestServers.GetAsync(ServerKind.Garnet)).ConfigurationString);
        builder.Services.AddRedisSessionsDashboard(options => options.CountInterval = Timeout.InfiniteTimeSpan);
        builder.Logging.ClearProviders();
        return builder;
    }

    [TestCase("olga", ExpectedResult = HttpStatusCode.OK)]
    [TestCase("ann", ExpectedResult = HttpStatusCode.Forbidden)]
    [TestCase(null, ExpectedResult = HttpStatusCode.Unauthorized)]
    public async Task<HttpStatusCode> A_policy_opens_it_to_whom_it_admits_in_any_environment_and_from_anywhere(string? user) =>
        (await GetInProductionAsync(Operators, user)).Status;

    [Test]
    public async Task The_log_names_the_operator_who_has_signed_in()
    {
        string prefix = SessionStack.NewKeyPrefix();
        await using var shop = await DashboardApp.StartAsync(ServerKind.Garnet, prefix);
        await using var app = await DashboardApp.StartAsync(
            ServerKind.Garnet, prefix, Environments.Production, Operators, AddPolicies, UsePolicies);
        using var browser = shop.NewBrowser();
        string id = await browser.SetStringAsync("name", "ann");
        using var handler = new AsOperator();
        using var @operator = new Operator(app, handler: handler);
        var page = await @operator.GetAsync($"?session={id}");
        await @operator.PressAsync(page, "end", id);
        Assert.That(app.Logs.Of(DashboardEvents.SessionEnded).Single().Message, Is.EqualTo($"Operator olga ended session {id}."));
    }

    /// <summary>A fallback policy is for all pages: it admits customers.</summary>
    [Test]
    public async Task A_fallback_policy_does_not_open_it() => IsClosed(await GetInProductionAsync(_ => { }, "ann"));

    /// <summary>Nor beside a policy, which it switches off: then the page is closed, not open to all.</summary>
    [Test]
    public async Task AllowAnonymous_does_not_open_it([Values] bool besideAPolicy) => IsClosed(await GetInProductionAsync(page =>
    {
        if (besideAPolicy) Operators(page);
        page.AllowAnonymous();
    }));

    [Test]
    public async Task Who_wants_it_open_to_everybody_writes_a_policy_that_admits_everybody() => Assert.That(
        (await GetInProductionAsync(page => page.RequireAuthorization(policy => policy.RequireAssertion(_ => true)))).Status,
        Is.EqualTo(HttpStatusCode.OK));

    [Test]
    public async Task A_policy_that_nobody_asks_is_an_error_and_no_open_door() => Assert.That(
        (await GetInProductionAsync(Operators, add: _ => { }, use: _ => { })).Status, Is.EqualTo(HttpStatusCode.InternalServerError));

    [Test]
    public async Task Nor_where_the_application_has_switched_that_error_off()
    {
        var page = await GetInProductionAsync(
            Operators,
            add: services => services.Configure<RouteOptions>(options => options.SuppressCheckForUnhandledSecurityMetadata = true),
            use: _ => { });
        Assert.That(page.Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(page.Text, Does.Contain("The page’s authorization policy was not evaluated; is UseAuthorization missing?"));
    }

    /// <summary>The page as <paramref name="user"/> gets it through a proxy; the application has policies unless it is said otherwise.</summary>
    private static async Task<Operator.Page> GetInProductionAsync(
        Action<IEndpointConventionBuilder> protect, string? user = null,
        Action<IServiceCollection>? add = null, Action<IApplicationBuilder>? use = null)
    {
        await using var app = await DashboardApp.StartAsync(
            ServerKind.Garnet, null, Environments.Production, protect, add ?? AddPolicies, use ?? UsePolicies);
        using var @operator = new Operator(app);
        return await @operator.GetAsync("", request =>
        {
            request.Headers.Add("X-Forwarded-For", "203.0.113.7");
            if (user is not null) request.Headers.Add("X-User", user);
        });
    }

    private static void Operators(IEndpointConventionBuilder page) => page.RequireAuthorization("operators");

    private static void IsClosed(Operator.Page page)
    {
        Assert.That(page.Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(page.Text, Does.Contain("no authorization policy"));
    }

    private static void AddPolicies(IServiceCollection services)
    {
        services.AddAuthentication("header").AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>("header", null);
        services.AddAuthorizationBuilder()
            .AddPolicy("operators", policy => policy.RequireClaim(ClaimTypes.Name, "olga"))
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    private static void UsePolicies(IApplicationBuilder app) => app.UseAuthentication().UseAuthorization();

    private sealed class AsOperator() : DelegatingHandler(new HttpClientHandler { AllowAutoRedirect = false })
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Add("X-User", "olga");
            return base.SendAsync(request, cancellationToken);
        }
    }

    /// <summary>Believes a header.</summary>
    private sealed class HeaderAuthentication(
        IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, System.Text.Encodings.Web.UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-User"].ToString() is not { Length: > 0 } user) return Task.FromResult(AuthenticateResult.NoResult());
            var principal = new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.Name, user)], "header"));
            return Task.FromResult(AuthenticateResult.Success(new(principal, "header")));
        }
    }
}
