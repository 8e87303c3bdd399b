using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Who may see the page if the application has not configured it: only a developer at this machine in the Development environment.
/// </summary>
/// <remarks>
/// <para>
/// An authorization policy on the endpoint itself opens the page to anyone it admits. ASP.NET Core evaluates it before a request gets here,
/// or refuses to run the endpoint; because RouteOptions can turn that refusal off, this also checks for the marker of the evaluation. The
/// fallback policy does not count: it is for all pages, and admits customers. Nor does AllowAnonymous: it says that no authorization is
/// needed, which is not a decision about this page, and endpoint groups pass it on. To open the page to everyone, write a policy that
/// admits everyone.
/// </para>
/// <para>
/// A request is from this machine if it came over loopback, or its remote and local addresses are the same, and it has no proxy header:
/// behind a proxy, everyone is local. Both ends need an address: if the connection has none (a Unix socket, which proxies use; a test
/// server), its origin is unknown, whatever the forwarded headers claim about the other end.
/// The host must be an address or localhost: otherwise a site whose name points to this machine could read the page in the developer's
/// browser (DNS rebinding). Nor may a GET have an Origin header: browsers send it for scripts of another site, which could read the reply
/// if the application's CORS policy is as permissive as many are in Development. (A posted form has one, and this page's token.)
/// </para>
/// </remarks>
internal static class ClosedByDefault
{
    private static readonly string[] ProxyHeaders =
        ["Forwarded", "Via", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP"];

    private static readonly string[] ProxyHeaderStarts = ["X-Forwarded-", "X-Original-", "X-Envoy-"];

    // Set by UseAuthorization, for EndpointMiddleware to check.
    private const string PolicyIsAsked = "__AuthorizationMiddlewareWithEndpointInvoked";

    /// <summary>Null if the request may proceed; otherwise why not, in a sentence.</summary>
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
