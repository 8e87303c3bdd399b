using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// The cookie that names a session, as the stock <see cref="SessionMiddleware"/> writes and reads it, so that each reads what the other
/// wrote: the session key, protected for the purpose "SessionMiddleware", in base64 without padding; with the options of one pipeline.
/// </summary>
internal sealed class SessionCookie(
    IDataProtectionProvider dataProtection, IOptions<SessionOptions> options, CookieCache cache, ILogger<RedisHashSession> logger)
{
    // "382c74c3-721d-4f34-80e5-57657b6cbc27"
    private const int SessionKeyLength = 36;

    private readonly IDataProtector _protector = dataProtection.CreateProtector(nameof(SessionMiddleware));
    private Func<string, string?>? _decrypt;

    public SessionOptions Options => options.Value;

    public string Name => Options.Cookie.Name!;

    /// <summary>A new session key: a random GUID, 36 characters, as the middleware makes them.</summary>
    public static string NewSessionKey()
    {
        Span<byte> random = stackalloc byte[16];
        RandomNumberGenerator.Fill(random);
        return new Guid(random).ToString();
    }

    public bool IsIn(HttpRequest request) => request.Cookies.ContainsKey(Name);

    /// <summary>The session key that a request brings; null if it has none that can be read.</summary>
    public string? KeyIn(HttpRequest request) =>
        request.Cookies[Name] is { Length: > 0 } text ? cache.KeyIn(text, _decrypt ??= Decrypt) : null;

    /// <summary>The cookie that names the request's session. SessionMiddleware does not tell a store which options it uses.</summary>
    /// <exception cref="InvalidOperationException">It is not known.</exception>
    public SessionCookie Of(RequestSession session, HttpRequest request)
    {
        if (session.Cookie is { } known) return known;
        bool isThis = session.Given.IsNew
            || (session.Timeouts.Idle == Options.IdleTimeout && session.Timeouts.IO == Options.IOTimeout && KeyIn(request) == session.Given.SessionKey);
        return isThis ? this : throw new InvalidOperationException(
            "The session's cookie cannot be replaced because its options are unknown: UseSession(options) does not pass them to the "
            + "session. Call UseRedisHashSession(options) instead.");
    }

    /// <summary>False if a cookie policy would withhold the cookie: the visitor has not consented, and it is not essential.</summary>
    public bool MayBeSent(HttpContext context) =>
        Options.Cookie.IsEssential || context.Features.Get<ITrackingConsentFeature>() is not { CanTrack: false };

    /// <summary>Puts <paramref name="sessionKey"/> into the response, which is about to start.</summary>
    public void Set(HttpContext context, string sessionKey)
    {
        Append(context, sessionKey);
        ForbidCaching(context.Response.Headers);
    }

    /// <summary>
    /// The same; returns the value as it stands in the header. Null, with nothing added to the response, if something between here and the
    /// response withholds the cookie.
    /// </summary>
    public string? TryRenew(HttpContext context, string sessionKey)
    {
        var headers = context.Response.Headers;
        string value = Uri.EscapeDataString(Append(context, sessionKey));
        if (!IsIn(headers, value)) return null;
        ForbidCaching(headers);
        return value;
    }

    /// <summary>Whether a response sets a cookie with that value.</summary>
    public static bool IsIn(IHeaderDictionary headers, string value) =>
        headers.SetCookie.Any(cookie => cookie?.Contains(value, StringComparison.Ordinal) == true);

    /// <summary>The response tells the client to forget the cookie.</summary>
    public void ExpireWithResponse(HttpContext context) => context.Response.OnStarting(() =>
    {
        context.Response.Cookies.Delete(Name, Options.Cookie.Build(context));
        ForbidCaching(context.Response.Headers);
        return Task.CompletedTask;
    });

    private string Append(HttpContext context, string sessionKey)
    {
        string value = Convert.ToBase64String(_protector.Protect(Encoding.UTF8.GetBytes(sessionKey))).TrimEnd('=');
        context.Response.Cookies.Append(Name, value, Options.Cookie.Build(context));
        return value;
    }

    private string? Decrypt(string text)
    {
        try
        {
            byte[] secret = Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
            string key = Encoding.UTF8.GetString(_protector.Unprotect(secret));
            return key.Length == SessionKeyLength && !string.IsNullOrWhiteSpace(key) ? key : null;
        }
        catch (Exception error)
        {
            // Another application's, tampered with, or older than the key ring.
            logger.CookieUnreadable(error);
            return null;
        }
    }

    // As the middleware does when it sets the cookie.
    private static void ForbidCaching(IHeaderDictionary headers)
    {
        headers.CacheControl = "no-cache,no-store";
        headers.Pragma = "no-cache";
        headers.Expires = "-1";
    }
}
