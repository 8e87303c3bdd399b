using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>Sends a page, and says to the browser what such a page may do: show itself and send its own forms, and nothing else.</summary>
internal static class PageResult
{
    private static readonly string Policy = string.Join(
        "; ",
        "default-src 'none'",
        $"style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Layout.Style)))}'",
        "img-src data:", // the icon, which is in the page
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'");

    public static Task SendAsync(this HttpResponse response, int status, Markup page)
    {
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Protect();
        return response.WriteAsync(page.ToString(), response.HttpContext.RequestAborted);
    }

    /// <summary>With 303: what was posted is not posted again.</summary>
    public static void SeeOther(this HttpResponse response, string location)
    {
        response.StatusCode = StatusCodes.Status303SeeOther;
        response.Headers.Location = location;
        response.Protect();
    }

    private static void Protect(this HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
    }
}
