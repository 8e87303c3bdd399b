namespace RedisSession.Provider.Dashboard;

/// <summary>
/// The links from one page of a list to others: the first, the previous, nearby known pages by number, the next. Pure.
/// </summary>
internal static class Pager
{
    // On either side of the current page.
    private const int Neighbours = 3;

    public static Markup Of(View view, string? next)
    {
        var trail = next is null ? view.Trail : view.Trail.With(view.Page + 1, next);
        if (view.After is null && next is null) return Markup.None;
        var known = view with { Trail = trail };
        var numbers = Enumerable.Range(view.Page - Neighbours, (2 * Neighbours) + 1).Where(page => page == view.Page || trail.Knows(page));
        return Markup.Of($"""
            <nav class="below" aria-label="Pages">
            <span>{Markup.If(view.After is not null, () => Back(known))}</span>
            <span class="numbers">{numbers.Select(page => Number(page, known))}</span>
            <span>{Markup.If(next is not null, () => Next(known))}</span>
            </nav>
            """);
    }

    private static Markup Back(View view) => Markup.Of($"""
        <a href="{view.At(1).ToLink()}">First page</a>
        {Markup.If(view.Page > 1 && view.Trail.Knows(view.Page - 1), () => Before(view))}
        """);

    private static Markup Before(View view) => Markup.Of($"""<a rel="prev" href="{view.At(view.Page - 1).ToLink()}">Back</a>""");

    private static Markup Next(View view) =>
        Markup.Of($"""<a class="next" rel="next" href="{view.At(view.Page + 1).ToLink()}">Next page</a>""");

    private static Markup Number(int page, View view) => page == view.Page
        ? Markup.Of($"""<b aria-current="page">{page}</b>""")
        : Markup.Of($"""<a href="{view.At(page).ToLink()}" aria-label="Page {page}">{page}</a>""");
}
