namespace RedisSession.Provider.Dashboard;

/// <summary>Sessions in a table: a page of all of them, or those that were found.</summary>
internal static class ListPage
{
    private static readonly (string Class, string Name)[] Columns =
        [("", "Session"), ("", "User"), ("number", "Age"), ("number", "Left"), ("number", "Keys"), ("number", "Size"), ("end", "Actions")];

    public static Markup Of(SessionList list, IReadOnlyList<SessionCount> counts, Place place)
    {
        string title = list.Search is null ? "Sessions" : $"{ShownText.Line(list.Search)} – sessions";
        return Layout.Page(title, Markup.Of($"""
            {Notice(place.Ended)}
            <div class="head">
            <h1>Sessions</h1>
            {SearchForm(list.Search)}
            </div>
            {(list.Search is null && !place.IsLater ? CountPlot.Of(counts, place.Now) : Markup.None)}
            {place.Token.ToForm()}
            {Table(list, place)}
            {Below(list, place)}
            """));
    }

    private static Markup Notice(int? ended) => ended switch
    {
        null => Markup.None,
        0 => Markup.Of($"""<p class="notice" role="status">There was nothing left to end.</p>"""),
        _ => Markup.Of($"""<p class="notice" role="status">{Quantity.Of(ended.Value, "session")} ended.</p>"""),
    };

    private static Markup SearchForm(string? search) => Markup.Of($"""
        <form class="search" role="search" method="get">
        <label for="q">User or session id</label>
        <input type="search" id="q" name="{Query.Search}" value="{search}" autocomplete="off" autocapitalize="none" spellcheck="false">
        <button>Search</button>
        </form>
        """);

    private static Markup Table(SessionList list, Place place) => list.Sessions.Count == 0 ? Empty(list) : Markup.Of($"""
        <table class="sessions" role="table">
        <caption>{Caption(list)}</caption>
        <thead role="rowgroup"><tr role="row">
        {Columns.Select(Header)}
        </tr></thead>
        <tbody role="rowgroup">
        {list.Sessions.Select(session => Row(session, place.Now))}
        </tbody>
        </table>
        """);

    private static Markup Header((string Class, string Name) column) =>
        Markup.Of($"""<th scope="col" role="columnheader" class="{column.Class}">{column.Name}</th>""");

    // The roles are those that the elements have anyway: on a phone, where rows are laid out as cards, browsers would forget them.
    private static Markup Row(SessionInfo session, DateTimeOffset now) => Markup.Of($"""
        <tr role="row">
        <th scope="row" role="rowheader">{Parts.Session(session)}</th>
        <td role="cell" class="user">{Parts.User(session.User)}</td>
        <td role="cell" class="number" data-label="age">{Parts.Age(session, now)}</td>
        <td role="cell" class="number" data-label="left">{Parts.Left(session, now)}</td>
        <td role="cell" class="number" data-label="keys">{Quantity.Of(session.KeyCount)}</td>
        <td role="cell" class="number" data-label="size">{Quantity.OfBytes(session.SizeInBytes)}</td>
        <td role="cell" class="end">{Parts.End(session)}</td>
        </tr>

        """);

    private static string Caption(SessionList list)
    {
        if (list.Search is null) return $"{Quantity.Of(list.Sessions.Count, "session")} on this page, in no order";
        string more = list.AreMore ? ", and there are more" : "";
        return $"{Quantity.Of(list.Sessions.Count, "session")} for “{ShownText.Line(list.Search)}”{more}";
    }

    private static Markup Empty(SessionList list)
    {
        if (list.Search is { } search)
        {
            return Markup.Of($"""
                <p class="empty">No live session has this id, and nobody of exactly this name has one: “{ShownText.Line(search)}”.</p>
                """);
        }

        return list.Next is null
            ? Markup.Of($"""<p class="empty">No sessions here.</p>""")
            : Markup.Of($"""<p class="empty">No sessions among the keys that this page has looked at. There are more keys.</p>""");
    }

    private static Markup Below(SessionList list, Place place)
    {
        var first = place.IsLater || list.Search is not null ? Markup.Of($"""<a href="?">All sessions</a>""") : Markup.None;
        var next = list.Next is null
            ? Markup.None
            : Markup.Of($"""<a class="next" rel="next" href="{Query.To((Query.After, list.Next))}">Next page</a>""");
        bool isAlone = !place.IsLater && list.Search is null && list.Next is null;
        return Markup.Of($"""
            {(isAlone ? Markup.None : Markup.Of($"""<nav class="below" aria-label="Pages">{first}{next}</nav>"""))}
            {(list.User is null ? Markup.None : Parts.EndAll(list.User, "End all sessions"))}
            """);
    }
}
