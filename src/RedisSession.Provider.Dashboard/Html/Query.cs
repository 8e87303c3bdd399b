using System.Text;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Links within the page. All of them begin with a question mark, so they lead to the page wherever it is mapped and whatever stands in
/// front of it, and never anywhere else.
/// </summary>
internal static class Query
{
    public const string Search = "q";
    public const string After = "after";
    public const string Session = "session";
    public const string Values = "values";
    public const string Ended = "ended";

    /// <summary>Parameters without a value are left out.</summary>
    public static string To(params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var link = new StringBuilder("?");
        foreach (var (name, value) in parameters)
        {
            if (string.IsNullOrEmpty(value)) continue;
            if (link.Length > 1) link.Append('&');
            link.Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }

        return link.ToString();
    }
}
