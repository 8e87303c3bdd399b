using System.Globalization;

namespace RedisSession.Provider.Dashboard;

/// <summary>Pieces that several pages share.</summary>
internal static class Parts
{
    private const int LongestName = 60;

    public static Markup Session(string id, View view) => Markup.Of(
        $"""<a class="id" href="{view.Of(id).ToLink()}" title="{id}">{PublicId.Shorten(id)}</a>""");

    public static Markup User(string? user, View view) => user is null
        ? Markup.Of($"""<span class="muted">anonymous</span>""")
        : View.CanFind(user)
            ? Markup.Of($"""<a href="{view.Find(user).ToLink()}">{ShownText.Line(user)}</a>""")
            : Markup.Of($"""<span>{ShownText.Line(user)}</span>""");

    /// <summary>How long ago it was used; a dash if unknown.</summary>
    public static Markup Used(SessionInfo session, DateTimeOffset now) => session.LastUsed is { } used
        ? Time(used, Quantity.Ago(now - used))
        : Markup.Of($"""<span class="muted" title="Cannot be calculated from the time left">–</span>""");

    public static Markup Age(SessionInfo session, DateTimeOffset now) => Since(session, Quantity.Of(now - session.Created));

    public static Markup Created(SessionInfo session, DateTimeOffset now) => Since(session, Quantity.Ago(now - session.Created));

    public static Markup Left(SessionInfo session, DateTimeOffset now) => Until(session, Quantity.Of(session.Expires - now), "for ever");

    public static Markup Expires(SessionInfo session, DateTimeOffset now) =>
        Until(session, $"in {Quantity.Of(session.Expires - now)}", "never");

    /// <summary>The exact time, below its description in words.</summary>
    public static Markup Moment(DateTimeOffset? time) =>
        time is { } known ? Markup.Of($"""<span class="moment">{Quantity.Moment(known)} UTC</span>""") : Markup.None;

    public static Markup End(SessionInfo session, string text = "End")
    {
        string whose = session.User is null ? "" : $" of {ShownText.Line(session.User)}";
        return Confirmed(text, $"{text}: session {PublicId.Shorten(session.Id)}{whose}", "End it", FormToken.End, session.Id);
    }

    /// <param name="user">Whose sessions.</param>
    /// <param name="which">Such as <c>ann’s 2 sessions</c>.</param>
    public static Markup EndAll(string user, string which) =>
        Confirmed($"End {which}", null, $"Yes, end {which}", FormToken.EndAll, FormToken.EncodeUser(user));

    public static Markup EndChosen() => Confirmed("End the chosen sessions", null, "Yes, end them", FormToken.EndChosen, "yes");

    /// <summary><c>ann’s</c></summary>
    public static string Whose(string user) => $"{ShownText.Line(user, LongestName)}’s";

    /// <summary>A link to another view of the same, or to the current one.</summary>
    public static Markup Choice(string text, View view, bool isChosen) => isChosen
        ? Markup.Of($"""<a href="{view.ToLink()}" aria-current="true">{text}</a>""")
        : Markup.Of($"""<a href="{view.ToLink()}">{text}</a>""");

    public static Markup SearchField(string id, string name, string? value) => Markup.Of($"""
        <input type="search" id="{id}" name="{name}" value="{value}" autocomplete="off" autocapitalize="none" spellcheck="false">
        """);

    /// <summary>The hidden fields of a form that leads to <paramref name="view"/> with one field filled in.</summary>
    public static Markup Hidden(View view) => Markup.Of(
        $"{view.Parameters.Select(one => Markup.Of($"""<input type="hidden" name="{one.Name}" value="{one.Value}">"""))}");

    private static Markup Since(SessionInfo session, string text) => session.Created == DateTimeOffset.UnixEpoch
        ? Markup.Of($"""<span class="muted">unknown</span>""")
        : Time(session.Created, text);

    private static Markup Until(SessionInfo session, string text, string never) => session.Expires == DateTimeOffset.MaxValue
        ? Markup.Of($"""<span class="warning">{never}</span>""")
        : Time(session.Expires, text);

    private static Markup Time(DateTimeOffset time, string text) => Markup.Of($"""
        <time datetime="{time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)}" title="{Quantity.Moment(time)} UTC">{text}</time>
        """);

    private static Markup Label(string? label) => Markup.If(label, text => Markup.Of($""" aria-label="{text}" """));

    /// <summary>A button that reveals another one, which performs the action: two steps, without a script.</summary>
    private static Markup Confirmed(string text, string? label, string question, string field, string value) => Markup.Of($"""
        <details class="confirm" name="confirm"><summary{Label(label)}>{text}</summary>
        <button class="danger" form="{FormToken.Form}" name="{field}" value="{value}">{question}</button></details>
        """);
}
