using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// The cookie that names a session, as the stock <see cref="SessionMiddleware"/> writes and reads it: the session key, protected
/// for the purpose "SessionMiddleware", in base64 without padding; with the configured cookie options.
/// </summary>
internal sealed class SessionCookie(IDataProtectionProvider dataProtection, IOptions<SessionOptions> options)
{
    private readonly IDataProtector _protector = dataProtection.CreateProtector(nameof(SessionMiddleware));

    /// <summary>A new session key: a random GUID, 36 characters, as the middleware makes them.</summary>
    public static string NewSessionKey()
    {
        Span<byte> random = stackalloc byte[16];
        RandomNumberGenerator.Fill(random);
        return new Guid(random).ToString();
    }

    public bool IsIn(HttpRequest request) => request.Cookies.ContainsKey(Name);

    /// <summary>False where a cookie policy would hold the cookie back: the visitor has not consented, and it is not essential.</summary>
    public bool MayBeSent(HttpContext context) =>
        options.Value.Cookie.IsEssential || context.Features.Get<ITrackingConsentFeature>() is not { CanTrack: false };

    /// <summary>
    /// The response, which is about to start, names <paramref name="sessionKey"/>. False, and nothing of it is in the response, where
    /// something between here and the response holds the cookie back.
    /// </summary>
    public bool TryRenew(HttpContext context, string sessionKey)
    {
        var headers = context.Response.Headers;
        string value = Convert.ToBase64String(_protector.Protect(Encoding.UTF8.GetBytes(sessionKey))).TrimEnd('=');
        context.Response.Cookies.Append(Name, value, options.Value.Cookie.Build(context));
        if (!headers.SetCookie.Any(cookie => cookie?.Contains(Uri.EscapeDataString(value), StringComparison.Ordinal) == true)) return false;
        ForbidCaching(headers);
        return true;
    }

    /// <summary>The response tells the client to forget the cookie.</summary>
    public void ExpireWithResponse(HttpContext context) => context.Response.OnStarting(() =>
    {
        context.Response.Cookies.Delete(Name, options.Value.Cookie.Build(context));
        ForbidCaching(context.Response.Headers);
        return Task.CompletedTask;
    });

    private string Name => options.Value.Cookie.Name!;

    // As the middleware does where it sets the cookie.
    private static void ForbidCaching(IHeaderDictionary headers)
    {
        headers.CacheControl = "no-cache,no-store";
        headers.Pragma = "no-cache";
        headers.Expires = "-1";
    }
}
