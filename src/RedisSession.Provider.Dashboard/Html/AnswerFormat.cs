using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace RedisSession.Provider.Dashboard;

/// <summary>What a request wants to have: a page, unless it says otherwise. Pure.</summary>
internal enum AnswerFormat
{
    Page,
    Json,
    Csv,
}

/// <summary>Tells the format that a request asks for.</summary>
internal static class AnswerFormats
{
    /// <summary>JSON for whoever accepts it and prefers no page: browsers accept everything, and HTML most.</summary>
    public static AnswerFormat Of(HttpRequest request)
    {
        if (HttpMethods.IsPost(request.Method)) return AnswerFormat.Page;
        if (request.Query[View.FormatName] == View.Csv) return AnswerFormat.Csv;
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)) return AnswerFormat.Page;
        return QualityOf("application/json") > QualityOf("text/html") ? AnswerFormat.Json : AnswerFormat.Page;

        // By name: "*/*" is no wish for anything.
        double QualityOf(string type) => accepted
            .Where(one => one.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase))
            .Select(one => one.Quality ?? 1)
            .DefaultIfEmpty(0)
            .Max();
    }
}
