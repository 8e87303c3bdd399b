using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features.Authentication;

namespace RedisSession.Provider;

/// <summary>Who has signed in, as ASP.NET Core tells it: the default of <see cref="RedisHashSessionOptions.UserIdentifier"/>.</summary>
internal static class SignedInUser
{
    /// <summary>The name identifier claim; null while nobody is authenticated.</summary>
    public static string? Of(HttpContext context)
    {
        // HttpContext.User makes a principal where there is none; the feature tells that there is none.
        var user = context.Features.Get<IHttpAuthenticationFeature>()?.User;
        return user?.Identity is { IsAuthenticated: true } ? user.FindFirst(ClaimTypes.NameIdentifier)?.Value : null;
    }
}
