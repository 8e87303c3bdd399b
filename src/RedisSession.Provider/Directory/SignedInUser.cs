using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features.Authentication;

namespace RedisSession.Provider;

/// <summary>Who has signed in, according to ASP.NET Core: the default of <see cref="RedisHashSessionOptions.UserIdentifier"/>.</summary>
internal static class SignedInUser
{
    /// <summary>The name identifier claim; null while nobody is authenticated.</summary>
    public static string? Of(HttpContext context)
    {
        // HttpContext.User creates a principal if there is none; the feature shows that there is none.
        var user = context.Features.Get<IHttpAuthenticationFeature>()?.User;
        return user?.Identity is { IsAuthenticated: true } ? user.FindFirst(ClaimTypes.NameIdentifier)?.Value : null;
    }
}
