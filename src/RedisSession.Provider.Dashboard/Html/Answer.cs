using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>Sends a page, and tells the browser what the page may do: display itself and submit its own forms, nothing else.</summary>
internal static class Answer
{
    private static readonly string Policy = string.Join(
        "; ",
        "default-src 'none'",
        $"style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Layout.Style)))}'",
        "img-src data:", // the icon, which is inlined
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'");

    public static Task SendAsync(this HttpResponse response, int status, Markup page)
    {
        response.Begin(status, "text/html; charset=utf-8");
        return response.WriteAsync(page.ToString(), response.HttpContext.RequestAborted);
    }

    public static Task SendJsonAsync<T>(this HttpResponse response, int status, T document, JsonTypeInfo<T> type)
    {
        response.Begin(status, "application/json");
        return response.WriteAsJsonAsync(document, type, "application/json", response.HttpContext.RequestAborted);
    }

    /// <summary>Sends a file, which browsers save.</summary>
    public static Task SendCsvAsync(this HttpResponse response, string csv)
    {
        response.Begin(StatusCodes.Status200OK, "text/csv; charset=utf-8");
        response.Headers.ContentDisposition = "attachment; filename=sessions.csv";
        return response.WriteAsync(csv, response.HttpContext.RequestAborted);
    }

    /// <summary>Redirects with 303, so that the form is not posted again.</summary>
    public static void SeeOther(this HttpResponse response, string location)
    {
        response.StatusCode = StatusCodes.Status303SeeOther;
        response.Headers.Location = location;
        response.Protect();
    }

    /// <summary>
    /// Makes the browser reload the page periodically. The header does what a meta element would, but is not part of the page:
    /// accessibility checkers object to the element, even if the user asked for it and can stop it.
    /// </summary>
    public static void RefreshEvery(this HttpResponse response, int seconds, string link) =>
        response.Headers["Refresh"] = string.Create(CultureInfo.InvariantCulture, $"{seconds};url={link}");

    private static void Begin(this HttpResponse response, int status, string contentType)
    {
        response.StatusCode = status;
        response.ContentType = contentType;
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
        headers.Vary = "Accept";
    }
}
