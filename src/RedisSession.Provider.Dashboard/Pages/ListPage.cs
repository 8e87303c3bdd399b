namespace RedisSession.Provider.Dashboard;

/// <summary>Sessions in a table: a page of all of them, or those that were found.</summary>
internal static class ListPage
{
    private static readonly (string Class, string Name, string Column)[] Columns =
    [
        ("", "Session", SortOrder.Id), ("user", "User", SortOrder.User), ("number", "Last used", SortOrder.Used),
        ("number", "Age", SortOrder.Age), ("number", "Left", SortOrder.Left), ("number", "Keys", SortOrder.Keys),
        ("number", "Size", SortOrder.Size),
    ];

    /// <param name="list">The sessions.</param>
    /// <param name="overview">The overview of all sessions, shown above the list.</param>
    /// <param name="place">What else the page needs.</param>
    public static Markup Of(SessionList list, Markup overview, Place place)
    {
        var view = place.View;
        string title = view.Search is null ? "Sessions" : $"{ShownText.Line(view.Search)} – sessions";
        return Layout.Page(title, view, Markup.Of($"""
            {Notice(view)}
            <div class="head">
            <h1>Sessions</h1>
            {SearchForm(view)}
            </div>
            {overview}
            {place.Token.ToForm()}
            <div class="list">
            <div class="bar">
            <p class="muted">{Caption(list, view)}</p>
            {Markup.If(view.Search is null, () => Filter(view))}
            </div>
            {(list.Sessions.Count == 0 ? Empty(list, view) : Table(list, place))}
            {Markup.If(list.Sessions.Count > 0, () => Below(list, view))}
            </div>
            {Pager.Of(view, list.Next)}
            {Markup.If(view.Search is not null, () => Elsewhere(list, view))}
            """));
    }

    private static Markup Below(SessionList list, View view) => Markup.Of($"""
        <div class="bar">
        <div class="chosen">{Parts.EndChosen()}</div>
        {Markup.If(list.User, user => Parts.EndAll(user, AllOf(list, user)))}
        <a class="file" href="{view.ToCsvLink()}">This page as CSV</a>
        </div>
        """);

    private static Markup Elsewhere(SessionList list, View view) => Markup.Of($"""
        <p class="elsewhere"><a href="{view.All.ToLink()}">All sessions</a>
        {Markup.If(list.Further is not null, () => Markup.Of($"""
            <a href="{(view.Find(view.Search!) with { By = list.Further }).ToLink()}">{(list.Further is Walk.ById
                ? "Search for ids that begin with this text, page by page"
                : "Search for this name in any case, page by page")}</a>
            """))}</p>
        """);

    private static Markup Notice(View view) => view switch
    {
        { Ended: null } => Markup.None,
        { Ended: 0 } => Notice(Markup.Of($"There was nothing left to end.")),
        { EndedUser: { } user } => Notice(Markup.Of($"""
            {Quantity.Of(view.Ended.Value, "session")} of {Parts.User(user, view)} ended.
            """)),
        { Ended: 1, EndedId: { } id } => Notice(Markup.Of($"Session {Parts.Session(id, view)} ended.")),
        _ => Notice(Markup.Of($"{Quantity.Of(view.Ended.Value, "session")} ended.")),
    };

    private static Markup Notice(Markup text) => Markup.Of($"""<p class="notice" role="status">{text}</p>""");

    private static Markup SearchForm(View view) => Markup.Of($"""
        <form class="search" role="search" method="get">
        <label for="q">User or session id</label>
        {Parts.SearchField("q", View.SearchName, view.Search)}
        {Parts.Hidden(view.All)}
        <button>Search</button>
        </form>
        """);

    private static Markup Filter(View view) => Markup.Of($"""
        <nav class="choice" aria-label="Whose sessions">
        {Parts.Choice("All", view.All, view.HasUser is null)}
        {Parts.Choice("Signed in", view.All with { HasUser = true }, view.HasUser is true)}
        {Parts.Choice("Anonymous", view.All with { HasUser = false }, view.HasUser is false)}
        </nav>
        """);

    private static Markup Table(SessionList list, Place place) => Markup.Of($"""
        <table class="sessions" role="table" aria-label="Sessions">
        <thead role="rowgroup"><tr role="row">
        <th scope="col" role="columnheader" class="choose"><span class="hidden">Choose</span></th>
        {Columns.Select(column => Header(column, place.View))}
        <th scope="col" role="columnheader" class="end"><span class="hidden">Actions</span></th>
        </tr></thead>
        <tbody role="rowgroup">
        {place.View.Sort.Sort(list.Sessions, place.Now).Select(session => Row(session, place))}
        </tbody>
        </table>
        """);

    private static Markup Header((string Class, string Name, string Column) column, View view)
    {
        var order = view.Sort;
        string sorted = order.Column != column.Column ? "none" : order.IsDescending ? "descending" : "ascending";
        string link = (view.Again with { Sort = order.After(column.Column) }).ToLink();
        return Markup.Of($"""
            <th scope="col" role="columnheader" class="{column.Class}" aria-sort="{sorted}"><a href="{link}">{column.Name}</a></th>
            """);
    }

    // The roles are the elements' implicit ones: on a phone, where rows are laid out as cards, browsers would drop them.
    private static Markup Row(SessionInfo session, Place place) => Markup.Of($"""
        <tr role="row">
        <td role="cell" class="choose">{Choose(session)}</td>
        <th scope="row" role="rowheader">{Parts.Session(session.Id, place.View)}</th>
        <td role="cell" class="user">{Parts.User(session.User, place.View)}</td>
        <td role="cell" class="number used" data-label="used">{Parts.Used(session, place.Now)}</td>
        <td role="cell" class="number" data-label="age">{Parts.Age(session, place.Now)}</td>
        <td role="cell" class="number" data-label="left">{Parts.Left(session, place.Now)}</td>
        <td role="cell" class="number" data-label="keys">{Quantity.Of(session.KeyCount)}</td>
        <td role="cell" class="number" data-label="size">{Quantity.OfBytes(session.SizeInBytes)}</td>
        <td role="cell" class="end">{Parts.End(session)}</td>
        </tr>

        """);

    private static Markup Choose(SessionInfo session) => Markup.Of($"""
        <input type="checkbox" form="{FormToken.Form}" name="{FormToken.Chosen}" value="{session.Id}"
         aria-label="Choose session {PublicId.Shorten(session.Id)}" autocomplete="off">
        """);

    private static string AllOf(SessionList list, string user)
    {
        int count = list.Sessions.Count(session => session.User == user);
        return $"{Parts.Whose(user)} {(list.AreMore ? "more than " : "")}{Quantity.Of(count, "session")}";
    }

    /// <summary>What the table contains, how it was found, and how it is sorted.</summary>
    private static string Caption(SessionList list, View view)
    {
        string count = Quantity.Of(list.Sessions.Count, "session");
        string search = $"“{ShownText.Line(view.Search ?? "", 60)}”";
        string rest = list.Next is null ? "" : "; not all sessions have been searched yet";
        string found = list.How switch
        {
            null => $"{count} on this page",
            Match.Id => $"{count} with exactly this id",
            Match.User => $"{count} of exactly {search}{(list.AreMore ? "; there are more" : "")}",
            Match.IdAndUser => $"{count}: exactly this id, and of exactly {search}",
            Match.IdStart => $"{count} whose id begins with {search}{rest}",
            Match.UserInAnyCase =>
                $"No user is named exactly {search}. {count} of users whose name differs only in upper and lower case{rest}",
            _ => "No sessions found",
        };
        return list.Sessions.Count < 2 ? found : $"{found}, sorted by {NameOf(view.Sort)} within this page";
    }

    private static string NameOf(SortOrder order)
    {
        string name = Columns.First(column => column.Column == order.Column).Name;
        return name == "Session" ? "id" : name.ToLowerInvariant();
    }

    private static Markup Empty(SessionList list, View view)
    {
        if (view.Search is { } search)
        {
            string rest = list.Next is null ? "" : ", among those searched for this page. There are more";
            return Markup.Of($"""
                <p class="empty">No live session has an id that is or begins with “{ShownText.Line(search)}”, or belongs to a user of that
                name, in upper or lower case{rest}.</p>
                """);
        }

        string which = view.HasUser switch { true => "sessions of users", false => "anonymous sessions", null => "sessions" };
        return list.Next is null
            ? Markup.Of($"""<p class="empty">No {which} here.</p>""")
            : Markup.Of($"""<p class="empty">No {which} among the keys searched for this page. There are more keys.</p>""");
    }
}
