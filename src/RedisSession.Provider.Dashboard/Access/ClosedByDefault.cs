using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Who may see the page where the application has not said it: who sits at this machine while it is being developed, and nobody else.
/// </summary>
/// <remarks>
/// <para>
/// An authorization policy of the endpoint itself opens the page to whom it admits. ASP.NET Core has asked it before a request comes here,
/// or refuses to run the endpoint; as RouteOptions can switch that refusal off, the mark by which it tells is looked for here, too. The
/// fallback policy does not count: it is for all pages, and admits customers. AllowAnonymous does not either: it says that nobody needs to
/// be asked, which is no decision about this page, and a group of endpoints hands it down. Who wants the page open to everybody has to
/// write a policy that admits everybody.
/// </para>
/// <para>
/// A request is from this machine when it came over the loopback, or from the address that it came to, and no proxy has left a mark in it:
/// behind one, everybody is local. Both ends need an address: where the connection has none (a Unix socket, on which proxies talk; a test
/// server), nothing is known of its origin, whatever the forwarded headers have made of the other end.
/// Its host must be an address or localhost: a site whose name was pointed at this machine would otherwise read the page in the developer's
/// browser (DNS rebinding). Nor may a GET have an origin: browsers name it where a script of another site asks, which then reads the answer
/// if the application's CORS policy is as generous as many are in Development. (A posted form has one, and the token of this page.)
/// </para>
/// </remarks>
internal static class ClosedByDefault
{
    private static readonly string[] ProxyHeaders =
        ["Forwarded", "Via", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP"];

    private static readonly string[] ProxyHeaderStarts = ["X-Forwarded-", "X-Original-", "X-Envoy-"];

    // Set by UseAuthorization, for EndpointMiddleware to see.
    private const string PolicyIsAsked = "__AuthorizationMiddlewareWithEndpointInvoked";

    /// <summary>Null where the request may go on; otherwise why not, in a sentence.</summary>
    public static string? Refuses(HttpContext context, IHostEnvironment environment)
    {
        bool hasPolicy = HasPolicy(context.GetEndpoint());
        if (hasPolicy && context.Items.ContainsKey(PolicyIsAsked)) return null;
        string why = hasPolicy
            ? "The page’s authorization policy was not evaluated; is UseAuthorization missing?"
            : "This page has no authorization policy.";
        if (!environment.IsDevelopment()) return $"{why} Without a policy, it is closed in the {environment.EnvironmentName} environment.";
        if (IsFromThisMachine(context)) return null;
        return $"{why} Without a policy, it is open only to this machine, and the request may come from another.";
    }

    private static bool HasPolicy(Endpoint? endpoint) =>
        endpoint is not null
        && endpoint.Metadata.GetMetadata<IAuthorizeData>() is not null
        && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null;

    private static bool IsFromThisMachine(HttpContext context)
    {
        var connection = context.Connection;
        if (connection is not { RemoteIpAddress: { } remote, LocalIpAddress: { } local }) return false;
        bool isLocal = remote.Equals(local) || (IPAddress.IsLoopback(remote) && IPAddress.IsLoopback(local));
        var request = context.Request;
        bool isOfScript = HttpMethods.IsGet(request.Method) && request.Headers.Origin.Count > 0;
        return isLocal && IsNameOfThisMachine(request.Host.Host) && !isOfScript && !request.Headers.Keys.Any(IsOfProxy);
    }

    private static bool IsNameOfThisMachine(string host) =>
        IPAddress.TryParse(host, out _)
        || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    private static bool IsOfProxy(string header) =>
        ProxyHeaders.Contains(header, StringComparer.OrdinalIgnoreCase)
        || ProxyHeaderStarts.Any(start => header.StartsWith(start, StringComparison.OrdinalIgnoreCase));
}
