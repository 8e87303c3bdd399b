using System.Globalization;

namespace RedisSession.Provider.Dashboard;

/// <summary>Pieces that several pages have.</summary>
internal static class Parts
{
    public static Markup Session(SessionInfo session) => Markup.Of(
        $"""<a class="id" href="{Query.To((Query.Session, session.Id))}" title="{session.Id}">{ShortId(session)}</a>""");

    public static Markup User(string? user) => user is null
        ? Markup.Of($"""<span class="muted">nobody</span>""")
        : Markup.Of($"""<a href="{Query.To((Query.Search, user))}">{ShownText.Line(user)}</a>""");

    public static Markup Age(SessionInfo session, DateTimeOffset now) => session.Created == DateTimeOffset.UnixEpoch
        ? Markup.Of($"""<span class="muted">unknown</span>""")
        : Time(session.Created, Quantity.Of(now - session.Created));

    public static Markup Left(SessionInfo session, DateTimeOffset now) => session.Expires == DateTimeOffset.MaxValue
        ? Markup.Of($"""<span class="warning">for ever</span>""")
        : Time(session.Expires, Quantity.Of(session.Expires - now));

    public static Markup End(SessionInfo session)
    {
        string whose = session.User is null ? "" : $" of {ShownText.Line(session.User)}";
        return Confirmed("End", $"End session {ShortId(session)}{whose}", "End it", FormToken.End, session.Id);
    }

    public static Markup EndAll(string user, string text) =>
        Confirmed(text, $"{text} of {ShownText.Line(user)}", "End all of them", FormToken.EndAll, FormToken.EncodeUser(user));

    public static string ShortId(SessionInfo session) => ShownText.Line(session.Id, 10);

    private static Markup Time(DateTimeOffset time, string text) => Markup.Of(
        $"""<time datetime="{time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)}" title="{Moment(time)}">{text}</time>""");

    /// <summary>A button that opens another one, which does it: two steps, without a script.</summary>
    private static Markup Confirmed(string text, string label, string question, string field, string value) => Markup.Of($"""
        <details class="confirm" name="confirm"><summary aria-label="{label}">{text}</summary>
        <button class="danger" form="{FormToken.Form}" name="{field}" value="{value}">{question}</button></details>
        """);

    private static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
