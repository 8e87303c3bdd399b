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

    /// <summary>The response names <paramref name="sessionKey"/> from now on, unless it changes again.</summary>
    public void Renew(HttpContext context, string sessionKey) => Change(context, response =>
    {
        string value = Convert.ToBase64String(_protector.Protect(Encoding.UTF8.GetBytes(sessionKey))).TrimEnd('=');
        response.Cookies.Append(Name, value, options.Value.Cookie.Build(context));
    });

    /// <summary>The response tells the client to forget the cookie.</summary>
    public void Expire(HttpContext context) =>
        Change(context, response => response.Cookies.Delete(Name, options.Value.Cookie.Build(context)));

    /// <summary>Of several changes in a request the last one counts; it is made when the response starts.</summary>
    private void Change(HttpContext context, Action<HttpResponse> change)
    {
        bool isFirst = !context.Items.ContainsKey(this);
        context.Items[this] = change;
        if (!isFirst) return;
        context.Response.OnStarting(() =>
        {
            ((Action<HttpResponse>)context.Items[this]!)(context.Response);
            ForbidCaching(context.Response.Headers);
            return Task.CompletedTask;
        });
    }

    private string Name => options.Value.Cookie.Name!;

    // As the middleware does where it sets the cookie.
    private static void ForbidCaching(IHeaderDictionary headers)
    {
        headers.CacheControl = "no-cache,no-store";
        headers.Pragma = "no-cache";
        headers.Expires = "-1";
    }
}
