using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>One session with its keys; their values when they are asked for.</summary>
internal static class OneSessionPage
{
    // What a person looks through.
    private const int MaxKeys = 500;

    private const int LongText = 1500;

    /// <param name="session">The session.</param>
    /// <param name="values">Its keys and values; null when they were not read.</param>
    /// <param name="areShown">Whether values are to be seen.</param>
    /// <param name="place">What else the page needs.</param>
    public static Markup Of(SessionInfo session, IReadOnlyDictionary<string, SessionValue>? values, bool areShown, Place place) =>
        Layout.Page($"Session {Parts.ShortId(session)}", Markup.Of($"""
            <h1>Session <span class="id">{Parts.ShortId(session)}</span></h1>
            {place.Token.ToForm()}
            <dl class="facts">
            <div class="whole"><dt>Id</dt><dd class="id">{session.Id}</dd></div>
            <div><dt>User</dt><dd>{Parts.User(session.User)}</dd></div>
            <div><dt>Age</dt><dd>{Parts.Age(session, place.Now)}</dd></div>
            <div><dt>Left</dt><dd>{Parts.Left(session, place.Now)}</dd></div>
            <div><dt>Keys</dt><dd>{Quantity.Of(session.KeyCount)}</dd></div>
            <div><dt>Size</dt><dd>{Quantity.OfBytes(session.SizeInBytes)}</dd></div>
            </dl>
            <div class="actions">
            {Parts.End(session)}
            {(session.User is null ? Markup.None : Parts.EndAll(session.User, "End all of this user"))}
            </div>
            <div class="head"><h2>Keys and values</h2>{Toggle(session, areShown)}</div>
            {(values is null ? TooLarge : Keys(session, values, areShown))}
            """));

    private static Markup Toggle(SessionInfo session, bool areShown) => areShown
        ? Markup.Of($"""<a class="button" href="{Query.To((Query.Session, session.Id))}">Hide values</a>""")
        : Markup.Of($"""<a class="button" href="{Query.To((Query.Session, session.Id), (Query.Values, "shown"))}">Show values</a>""");

    private static Markup TooLarge => Markup.Of($"""
        <p class="empty">This session is large. Its keys are read, all of them together with their values, when you ask for the values.</p>
        """);

    private static Markup Keys(SessionInfo session, IReadOnlyDictionary<string, SessionValue> values, bool areShown) => Markup.Of($"""
        {(values.Count == 0 ? Markup.Of($"""<p class="empty">No keys to show.</p>""") : Markup.None)}
        <dl class="keys">
        {values.OrderBy(pair => pair.Key, StringComparer.Ordinal).Take(MaxKeys).Select(pair => Key(pair.Key, pair.Value, areShown))}
        </dl>
        {(values.Count > MaxKeys ? Markup.Of($"""<p class="muted">{Quantity.Of(values.Count - MaxKeys, "more key")}.</p>""") : Markup.None)}
        {(session.KeyCount > values.Count ? Undecipherable(session.KeyCount - values.Count) : Markup.None)}
        """);

    private static Markup Key(string key, SessionValue stored, bool isShown)
    {
        byte[] raw = stored.Raw ?? [];
        var value = ShownValue.Of(raw);
        string note = value.Note is null || !isShown ? "" : $", {value.Note}";
        string about = $"{value.Kind}, {Quantity.OfBytes(raw.Length)}{note}";
        return Markup.Of($"""
            <div><dt><span class="key">{ShownText.Line(key, 200)}</span> <span class="muted">{about}</span></dt>
            <dd>{(isShown ? Text(key, value.Text) : Markup.Of($"""<span class="muted">hidden</span>"""))}</dd></div>

            """);
    }

    /// <summary>What is long has a place of its own to move about in, also by keyboard.</summary>
    private static Markup Text(string key, string text) => text.Length < LongText && text.AsSpan().Count('\n') < LongText / 50
        ? Markup.Of($"<pre>{text}</pre>")
        : Markup.Of($"""<pre class="long" tabindex="0" role="region" aria-label="Value of {ShownText.Line(key)}">{text}</pre>""");

    private static Markup Undecipherable(long count) => Markup.Of($"""
        <p class="muted">Not listed: {Quantity.Of(count, "key")} with a value that this application cannot decrypt, or that has changed
        meanwhile.</p>
        """);
}
