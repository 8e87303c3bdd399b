using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// What makes a form one of ours: antiforgery's token. The fields of the forms beside it. One form on each page carries the token, and all
/// buttons belong to it.
/// </summary>
/// <param name="Name">The name of the field.</param>
/// <param name="Value">The token for this browser and operator.</param>
internal sealed record FormToken(string Name, string Value)
{
    /// <summary>The field that names a session to end.</summary>
    public const string End = "end";

    /// <summary>The field that names a user whose sessions are all to end.</summary>
    public const string EndAll = "end-all";

    /// <summary>The field that says that the chosen sessions are to end: they come with every button.</summary>
    public const string EndChosen = "end-chosen";

    /// <summary>The field that names a session that is chosen, once for each.</summary>
    public const string Chosen = "chosen";

    /// <summary>The form's own name in the page, for buttons.</summary>
    public const string Form = "act";

    public static FormToken For(IAntiforgery antiforgery, HttpContext context)
    {
        var tokens = antiforgery.GetAndStoreTokens(context);
        return new(tokens.FormFieldName, tokens.RequestToken!);
    }

    /// <summary>A user's name as a form can carry it: browsers change line breaks in what they send.</summary>
    public static string EncodeUser(string user) => Uri.EscapeDataString(user);

    public static string DecodeUser(string encoded) => Uri.UnescapeDataString(encoded);

    /// <summary>Without an action it is posted to the page that it is on, and the browser comes back there.</summary>
    public Markup ToForm() =>
        Markup.Of($"""<form id="{Form}" method="post"><input type="hidden" name="{Name}" value="{Value}"></form>""");
}
