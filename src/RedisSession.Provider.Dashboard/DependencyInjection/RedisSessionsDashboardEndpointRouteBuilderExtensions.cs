using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RedisSession.Provider;
using RedisSession.Provider.Dashboard;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the sessions page.</summary>
public static class RedisSessionsDashboardEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps a page on which operators can see all live sessions, search them by user or id, inspect one, and end one session or all
    /// sessions of a user. It works without scripts, needs no additional files, and neither starts nor renews a session.
    /// </summary>
    /// <remarks>
    /// Anyone who can open the page can see the values of every session and end it. Configure who may open it, with
    /// <c>app.MapRedisSessions("/sessions").RequireAuthorization("operators")</c>. Without a policy, the page answers only 403, except to
    /// requests from the same machine in the Development environment. Neither a fallback policy nor <c>AllowAnonymous</c> opens it.
    /// </remarks>
    /// <param name="endpoints">The route builder to map it on.</param>
    /// <param name="pattern">The route, such as <c>"/sessions"</c>: a single one for all requests.</param>
    /// <returns>The endpoint, for adding an authorization policy.</returns>
    /// <exception cref="InvalidOperationException">
    /// <c>AddRedisSessionsDashboard</c> or <c>AddRedisHashSession</c> was not called.
    /// </exception>
    public static IEndpointConventionBuilder MapRedisSessions(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern = "/sessions")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        Require<IRedisSessionDirectory>("AddRedisHashSession");
        Require<SessionCounts>("AddRedisSessionsDashboard");
        return endpoints.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Post], HandleAsync)
            .WithDisplayName("Redis sessions")
            .CacheOutput(static policy => policy.NoCache()); // the output cache ignores the response's Cache-Control

        static Task HandleAsync(HttpContext context) =>
            context.RequestServices.GetRequiredService<SessionsEndpoint>().HandleAsync(context);

        void Require<T>(string adder)
        {
            // Checked without creating the service: invalid options fail with their reason at startup, not here.
            if (endpoints.ServiceProvider.GetService<IServiceProviderIsService>()?.IsService(typeof(T)) != false) return;
            throw new InvalidOperationException($"MapRedisSessions requires the services of {adder}: call it on the service collection.");
        }
    }
}
