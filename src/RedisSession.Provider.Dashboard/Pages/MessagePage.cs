using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>A page that contains only a message.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Title">The message in short; a JSON response contains only this.</param>
/// <param name="Text">The full message.</param>
internal sealed record MessagePage(int Status, string Title, Markup Text)
{
    public static MessagePage NoSuchPage { get; } = new(StatusCodes.Status400BadRequest, "No such page", Markup.Of($"""
        <p>This link does not come from this page, or the servers have changed since.</p>
        <p><a href="?">Go to the first page</a></p>
        """));

    public static MessagePage FormRefused { get; } = new(StatusCodes.Status400BadRequest, "Nothing was done", Markup.Of($"""
        <p>The form had no antiforgery token, or that of another operator. You may have signed in or out since, or your browser may not
        accept cookies.</p>
        <p><a href="?">Load the page again</a> and try again.</p>
        """));

    public static MessagePage FormUnreadable { get; } = new(StatusCodes.Status400BadRequest, "Nothing was done", Markup.Of($"""
        <p>The form could not be read: it is incomplete, or has too many fields.</p>
        <p><a href="?">Load the page again</a> and try again.</p>
        """));

    public static MessagePage NothingToDo { get; } = new(StatusCodes.Status400BadRequest, "Nothing was done", Markup.Of($"""
        <p>The form did not say what to do. Perhaps no session was chosen.</p>
        <p><a href="?">All sessions</a></p>
        """));

    public static MessagePage RedisIsAway { get; } = new(StatusCodes.Status503ServiceUnavailable, "Redis does not answer", Markup.Of($"""
        <p>The sessions could not be read or ended. See the log for the reason.</p>
        """));

    public static MessagePage NoSuchSession(View view) => new(StatusCodes.Status404NotFound, "No such session", Markup.Of($"""
        <p>There is no session with this id: it has ended or expired, or never existed.</p>
        {Markup.If(view.Session is { } id && PublicId.IsOne(id), () => Markup.Of($"""<p class="id">{view.Session}</p>"""))}
        <p>The browser keeps its cookie. Its next request may begin a new session with the same id.</p>
        <p><a href="{view.Plain.ToLink()}">Back to the list</a></p>
        """));

    public static MessagePage Closed(string reason) => new(StatusCodes.Status403Forbidden, "This page is closed", Markup.Of($"""
        <p>{reason}</p>
        <p>It shows the sessions of all users, so you must configure who may see it:</p>
        <pre>app.MapRedisSessions("/sessions").RequireAuthorization("operators");</pre>
        <p>Without a policy, it is open only in the Development environment, to a browser on the same machine, at localhost or an IP
        address, and not through a proxy.</p>
        """));

    public Markup ToPage() => Layout.Page(Title, null, Markup.Of($"""
        <h1>{Title}</h1>
        <div class="message">
        {Text}
        </div>
        """));
}
