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
    /// A page on which operators see all live sessions, search them by user or id, look into one, and end one or all of a user. It works
    /// without scripts, needs no files beside it, and neither starts nor renews a session.
    /// </summary>
    /// <remarks>
    /// Whoever sees it can see the values of everybody's session and end it: say who, with
    /// <c>app.MapRedisSessions("/sessions").RequireAuthorization("operators")</c>. Until then it answers nothing but 403, save in the
    /// environment Development to requests from the same machine. Neither a fallback policy nor <c>AllowAnonymous</c> opens it.
    /// </remarks>
    /// <param name="endpoints">Where to map it.</param>
    /// <param name="pattern">The route, such as <c>"/sessions"</c>: one, for everything.</param>
    /// <returns>The endpoint, to be given a policy.</returns>
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
            .CacheOutput(static policy => policy.NoCache()); // which does not look at what the response says of caches

        static Task HandleAsync(HttpContext context) =>
            context.RequestServices.GetRequiredService<SessionsEndpoint>().HandleAsync(context);

        void Require<T>(string adder)
        {
            // Asked without making it: options that cannot work stop the application when it starts, and say why, not here.
            if (endpoints.ServiceProvider.GetService<IServiceProviderIsService>()?.IsService(typeof(T)) != false) return;
            throw new InvalidOperationException($"MapRedisSessions needs the services of {adder}: call it on the service collection.");
        }
    }
}
