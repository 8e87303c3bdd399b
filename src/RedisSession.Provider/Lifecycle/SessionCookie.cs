using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
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

    public void Write(HttpContext context, string sessionKey)
    {
        string value = Convert.ToBase64String(_protector.Protect(Encoding.UTF8.GetBytes(sessionKey))).TrimEnd('=');
        context.Response.Cookies.Append(Name, value, options.Value.Cookie.Build(context));
        ForbidCaching(context);
    }

    public void Expire(HttpContext context)
    {
        context.Response.Cookies.Delete(Name, options.Value.Cookie.Build(context));
        ForbidCaching(context);
    }

    private string Name => options.Value.Cookie.Name!;

    // As the middleware does where it sets the cookie.
    private static void ForbidCaching(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-cache,no-store";
        headers.Pragma = "no-cache";
        headers.Expires = "-1";
    }
}
