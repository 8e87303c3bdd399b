namespace RedisSession.Provider.Dashboard;

/// <summary>The common frame of all pages. No scripts and no external resources.</summary>
internal static class Layout
{
    /// <summary>
    /// The style sheet, which is inlined in each page. With line feeds only, however the source was checked out: that is how browsers
    /// see it, and the policy contains its hash.
    /// </summary>
    public static string Style { get; } = ReadStyle();

    // A hash sign, because the sessions are hashes.
    private const string Icon =
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
        + "%3Crect width='16' height='16' rx='4' fill='%233b5bcc'/%3E"
        + "%3Cpath d='M6 3.5 5 12.5M11 3.5 10 12.5M3.5 6h9.5M3 10h9.5' stroke='%23fff' stroke-width='1.4' stroke-linecap='round'/%3E"
        + "%3C/svg%3E";

    /// <param name="title">The title of the browser tab.</param>
    /// <param name="view">The view in the address; null on a page that is not worth reloading.</param>
    /// <param name="body">The content of the page.</param>
    public static Markup Page(string title, View? view, Markup body) => Markup.Of($"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>{title}</title>
        <link rel="icon" href="{Icon}">
        <style>{Markup.Trusted(Style)}</style>
        </head>
        <body>
        <a class="skip" href="#main">Skip to content</a>
        <header class="top"><a class="brand" href="?">RedisSession</a>{Markup.If(view, Refresh)}</header>
        <main id="main" tabindex="-1">
        {body}
        </main>
        <footer>Times are in UTC; “last used” is accurate to about a second. Viewing a session does not keep it alive.</footer>
        </body>
        </html>

        """);

    private static Markup Refresh(View view) => Markup.Of($"""
        <nav class="choice" aria-label="Refresh">
        <span class="muted">Refresh</span>
        {Parts.Choice("off", view.Again with { Refresh = null }, view.Refresh is null)}
        {View.Pauses.Select(pause => Parts.Choice($"{pause} s", view.Again with { Refresh = pause }, view.Refresh == pause))}
        </nav>
        """);

    private static string ReadStyle()
    {
        using var stream = typeof(Layout).Assembly.GetManifestResourceStream("dashboard.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
