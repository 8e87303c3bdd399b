using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>One session with its keys, and their values if requested.</summary>
internal static class OneSessionPage
{
    // As many as a person will look through.
    public const int MaxKeys = 500;

    private const int LongestKey = 200;
    private const int LongText = 600;
    private const int ManyLines = 12;

    /// <param name="session">The session.</param>
    /// <param name="keys">The keys to show; null if they were not read.</param>
    /// <param name="place">What else the page needs.</param>
    public static Markup Of(SessionInfo session, ShownKeys? keys, Place place)
    {
        var view = place.View;
        var created = Parts.Moment(Known(session.Created, DateTimeOffset.UnixEpoch));
        var expires = Parts.Moment(Known(session.Expires, DateTimeOffset.MaxValue));
        return Layout.Page($"Session {PublicId.Shorten(session.Id)}", view, Markup.Of($"""
            <p class="back"><a href="{view.Plain.ToLink()}">Back to the list</a></p>
            <h1>Session <span class="id">{PublicId.Shorten(session.Id)}</span></h1>
            {place.Token.ToForm()}
            <dl class="card facts">
            <div class="whole"><dt>Id</dt><dd class="id">{session.Id}</dd></div>
            <div><dt>Last used</dt><dd>{Parts.Used(session, place.Now)} {Parts.Moment(session.LastUsed)}</dd></div>
            <div><dt>Created</dt><dd>{Parts.Created(session, place.Now)} {created}</dd></div>
            <div><dt>Expires</dt><dd>{Parts.Expires(session, place.Now)} {expires}</dd></div>
            {Markup.If(session.LockedSince is not null, () => Locked(session.LockedSince!.Value, place))}
            <div><dt>User</dt><dd>{Parts.User(session.User, view)}</dd></div>
            <div><dt>Keys</dt><dd>{Quantity.Of(session.KeyCount)}</dd></div>
            <div><dt>Size</dt><dd>{Quantity.OfBytes(session.SizeInBytes)}</dd></div>
            </dl>
            <div class="actions">
            {Parts.End(session, "End this session")}
            {Markup.If(session.User, user => Parts.EndAll(user, $"all of {Parts.Whose(user)} sessions"))}
            </div>
            <div class="head"><h2>Keys and values</h2><div class="tools">{KeyForm(view)}{Toggle(view)}</div></div>
            {(keys is null ? TooLarge : Keys(session, keys, place))}
            """));
    }

    private static Markup Locked(DateTimeOffset since, Place place) => Markup.Of($"""
        <div><dt>Locked</dt><dd>{Quantity.Ago(place.Now - since)} {Parts.Moment(since)}</dd></div>
        """);

    private static DateTimeOffset? Known(DateTimeOffset time, DateTimeOffset unknown) => time == unknown ? null : time;

    private static Markup KeyForm(View view) => Markup.Of($"""
        <form class="search" role="search" method="get" aria-label="Keys">
        {Parts.Hidden(view.Again with { Key = null })}
        <label for="key">Keys with</label>
        {Parts.SearchField("key", View.KeyName, view.Key)}
        <button>Filter</button>
        </form>
        """);

    private static Markup Toggle(View view)
    {
        string link = (view.Again with { AreValuesShown = !view.AreValuesShown }).ToLink();
        return Markup.Of($"""<a class="button" href="{link}">{(view.AreValuesShown ? "Hide" : "Show")} values</a>""");
    }

    private static Markup TooLarge => Markup.Of($"""
        <p class="empty">This session is large. Its keys and values are read only when you show the values.</p>
        """);

    private static Markup Keys(SessionInfo session, ShownKeys keys, Place place)
    {
        bool someExpire = keys.Expiries.Count > 0;
        return Markup.Of($"""
            {(keys.Shown.Count == 0 ? None(place.View) : Table(keys, someExpire, place))}
            {Markup.If(place.View.Key is not null, () => Markup.Of($"""<p class="muted">{keys.Matching} of {keys.All} keys.</p>"""))}
            {Markup.If(keys.Matching > keys.Shown.Count, () => More(keys))}
            {Markup.If(session.KeyCount > keys.All, () => Undecipherable(session.KeyCount - keys.All))}
            """);
    }

    private static Markup None(View view) => view.Key is { } key
        ? Markup.Of($"""<p class="empty">No key contains “{ShownText.Line(key)}”.</p>""")
        : Markup.Of($"""<p class="empty">No keys to show.</p>""");

    private static Markup Table(ShownKeys keys, bool someExpire, Place place) => Markup.Of($"""
        <table class="keys" role="table" aria-label="Keys and values">
        <thead role="rowgroup"><tr role="row">
        <th scope="col" role="columnheader">Key</th>
        <th scope="col" role="columnheader">Type</th>
        {Markup.If(someExpire, () => Markup.Of($"""<th scope="col" role="columnheader">Left</th>"""))}
        <th scope="col" role="columnheader">Value</th>
        </tr></thead>
        <tbody role="rowgroup">
        {keys.Shown.Select(pair => Row(pair.Key, pair.Value, keys, someExpire, place))}
        </tbody>
        </table>
        """);

    private static Markup Row(string key, SessionValue stored, ShownKeys keys, bool someExpire, Place place)
    {
        byte[] raw = stored.Raw ?? [];
        var value = ShownValue.Of(raw);
        bool isShown = place.View.AreValuesShown;
        bool isLong = isShown && value.Line is null;
        return Markup.Of($"""
            <tr role="row"{Markup.If(isLong, () => Markup.Of($""" class="before-long" """))}>
            <th scope="row" role="rowheader" class="key">{ShownText.Line(key, LongestKey)}</th>
            <td role="cell" class="kind">{value.Kind}, {Quantity.OfBytes(raw.Length)}</td>
            {Markup.If(someExpire, () => Markup.Of($"""<td role="cell" class="kind">{Left(key, keys, place.Now)}</td>"""))}
            <td role="cell" class="value">{(isShown ? InRow(value) : Markup.Of($"""<span class="muted">hidden</span>"""))}</td>
            </tr>
            {Markup.If(isLong, () => Below(key, value.Text, someExpire))}
            """);
    }

    private static Markup Left(string key, ShownKeys keys, DateTimeOffset now) => keys.Expiries.TryGetValue(key, out var expires)
        ? Markup.Of($"""<span title="{Quantity.Moment(expires)} UTC">{Quantity.Of(expires - now)}</span>""")
        : Markup.None;

    private static Markup InRow(ShownValue value) => Markup.Of($"""
        {Markup.If(value.Line, line => Markup.Of($"<code>{line}</code>"))}
        {Markup.If(value.Note, note => Markup.Of($"""<span class="muted">{note}</span>"""))}
        """);

    /// <summary>In a row of its own. Long text scrolls in a region of its own, also by keyboard.</summary>
    private static Markup Below(string key, string text, bool someExpire) => Markup.Of($"""
        <tr role="row" class="long"><td role="cell" colspan="{(someExpire ? 4 : 3)}">{Text(key, text)}</td></tr>
        """);

    private static Markup Text(string key, string text) => text.Length < LongText && text.AsSpan().Count('\n') < ManyLines
        ? Markup.Of($"<pre>{text}</pre>")
        : Markup.Of($"""<pre class="long" tabindex="0" role="region" aria-label="Value of {ShownText.Line(key)}">{text}</pre>""");

    private static Markup More(ShownKeys keys) =>
        Markup.Of($"""<p class="muted">{Quantity.Of(keys.Matching - keys.Shown.Count, "more key")}: filter to see them.</p>""");

    private static Markup Undecipherable(long count) => Markup.Of($"""
        <p class="muted">Not listed: {Quantity.Of(count, "key")} whose value this application cannot decrypt, or that changed
        while the page was loading.</p>
        """);
}

/// <summary>The keys of a session to show. Pure.</summary>
/// <param name="Shown">The keys, in natural order.</param>
/// <param name="Matching">How many keys match the filter.</param>
/// <param name="All">How many keys there are.</param>
internal sealed record ShownKeys(IReadOnlyList<KeyValuePair<string, SessionValue>> Shown, int Matching, int All)
{
    // As people sort: pref:2 before pref:10.
    private static readonly StringComparer Natural =
        StringComparer.Create(CultureInfo.InvariantCulture, CompareOptions.NumericOrdering | CompareOptions.IgnoreCase);

    /// <summary>The expiries of the shown keys that expire by themselves.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Expiries { get; init; } = new Dictionary<string, DateTimeOffset>();

    /// <param name="values">All keys with their values.</param>
    /// <param name="part">Text that the keys must contain, ignoring case; null for all keys.</param>
    /// <param name="most">The maximum number to show.</param>
    public static ShownKeys Of(IReadOnlyDictionary<string, SessionValue> values, string? part, int most)
    {
        var matching = values.Where(pair => part is null || pair.Key.Contains(part, StringComparison.OrdinalIgnoreCase)).ToList();
        var inOrder = matching.OrderBy(pair => pair.Key, Natural).ThenBy(pair => pair.Key, StringComparer.Ordinal);
        return new([.. inOrder.Take(most)], matching.Count, values.Count);
    }
}
