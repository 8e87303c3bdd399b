namespace RedisSession.Provider.Dashboard;

/// <summary>Pages that only say something.</summary>
internal static class MessagePage
{
    public static Markup NoSuchSession { get; } = Of("No such session", Markup.Of($"""
        <p>There is no session with this id, or not any more.</p>
        <p><a href="?">All sessions</a></p>
        """));

    public static Markup NoSuchPage { get; } = Of("No such page", Markup.Of($"""
        <p>This link does not come from here.</p>
        <p><a href="?">Begin anew</a></p>
        """));

    public static Markup FormRefused { get; } = Of("Nothing was done", Markup.Of($"""
        <p>The form came without its antiforgery token, or with one of another operator. Perhaps you have signed in or out since, or your
        browser keeps no cookies.</p>
        <p><a href="?">Load the page again</a> and repeat it.</p>
        """));

    public static Markup NothingToDo { get; } = Of("Nothing was done", Markup.Of($"""
        <p>The form did not say what to do.</p>
        <p><a href="?">All sessions</a></p>
        """));

    public static Markup RedisIsAway { get; } = Of("Redis does not answer", Markup.Of($"""
        <p>The sessions could not be read or ended just now. The log says why.</p>
        """));

    public static Markup Closed(string reason) => Of("This page is closed", Markup.Of($"""
        <p>{reason}</p>
        <p>It shows everybody’s sessions, so it has to be said who may see it:</p>
        <pre>app.MapRedisSessions("/sessions").RequireAuthorization("operators");</pre>
        <p>Without a policy it answers in the environment Development only, to a browser on the machine that serves it, which asks for
        localhost or an address, and not through a proxy.</p>
        """));

    private static Markup Of(string title, Markup text) => Layout.Page(title, Markup.Of($"""
        <h1>{title}</h1>
        <div class="message">
        {text}
        </div>
        """));
}
