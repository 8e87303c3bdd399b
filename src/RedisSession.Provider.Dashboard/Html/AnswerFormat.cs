using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace RedisSession.Provider.Dashboard;

/// <summary>The format that a request asks for: a page by default. Pure.</summary>
internal enum AnswerFormat
{
    Page,
    Json,
    Csv,
}

/// <summary>Determines the format that a request asks for.</summary>
internal static class AnswerFormats
{
    /// <summary>JSON if the client accepts it and does not prefer HTML: browsers accept everything, but prefer HTML.</summary>
    public static AnswerFormat Of(HttpRequest request)
    {
        if (HttpMethods.IsPost(request.Method)) return AnswerFormat.Page;
        if (request.Query[View.FormatName] == View.Csv) return AnswerFormat.Csv;
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)) return AnswerFormat.Page;
        return QualityOf("application/json") > QualityOf("text/html") ? AnswerFormat.Json : AnswerFormat.Page;

        // By name: "*/*" expresses no preference.
        double QualityOf(string type) => accepted
            .Where(one => one.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase))
            .Select(one => one.Quality ?? 1)
            .DefaultIfEmpty(0)
            .Max();
    }
}
