using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// The antiforgery token, which proves that a form is ours, and the names of the other form fields. One form on each page carries the
/// token, and all buttons belong to it.
/// </summary>
/// <param name="Name">The name of the field.</param>
/// <param name="Value">The token for this browser and operator.</param>
internal sealed record FormToken(string Name, string Value)
{
    /// <summary>The field that names a session to end.</summary>
    public const string End = "end";

    /// <summary>The field that names a user, to end all their sessions.</summary>
    public const string EndAll = "end-all";

    /// <summary>The field that says to end the chosen sessions, which every button submits.</summary>
    public const string EndChosen = "end-chosen";

    /// <summary>The field that names a chosen session, once for each.</summary>
    public const string Chosen = "chosen";

    /// <summary>The id of the form in the page, for buttons.</summary>
    public const string Form = "act";

    public static FormToken For(IAntiforgery antiforgery, HttpContext context)
    {
        var tokens = antiforgery.GetAndStoreTokens(context);
        return new(tokens.FormFieldName, tokens.RequestToken!);
    }

    /// <summary>Encodes a user's name for a form: browsers change line breaks in the values that they submit.</summary>
    public static string EncodeUser(string user) => Uri.EscapeDataString(user);

    public static string DecodeUser(string encoded) => Uri.UnescapeDataString(encoded);

    /// <summary>Without an action, the form is posted to its own page, and the browser returns there.</summary>
    public Markup ToForm() =>
        Markup.Of($"""<form id="{Form}" method="post"><input type="hidden" name="{Name}" value="{Value}"></form>""");
}
