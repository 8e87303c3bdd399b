using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// The view that the address of a page describes: what to show, and how. All of it is external input, and invalid values count as unset.
/// Links are modified views. Pure.
/// </summary>
/// <remarks>
/// All links begin with a question mark, so they lead to the page wherever it is mapped and whatever proxy is in front of it, and never
/// anywhere else.
/// </remarks>
internal sealed record View
{
    public const string SessionName = "session";
    public const string ValuesName = "values";
    public const string KeyName = "key";
    public const string SearchName = "q";
    public const string FormatName = "format";
    public const string Csv = "csv";

    /// <summary>The intervals, in seconds, at which a page can be reloaded.</summary>
    public static IReadOnlyList<int> Pauses { get; } = [5, 15, 60];

    /// <summary>How many hours the plot can be limited to.</summary>
    public static IReadOnlyList<int> Ranges { get; } = [1, 6, 24];

    private const int LongestSearch = 2_000;

    private const string ByName = "by";
    private const string WhoName = "who";
    private const string SortName = "sort";
    private const string PageName = "page";
    private const string AfterName = "after";
    private const string TrailName = "trail";
    private const string HoursName = "hours";
    private const string RefreshName = "refresh";
    private const string EndedName = "ended";
    private const string EndedIdName = "id";
    private const string EndedUserName = "of";

    /// <summary>The session to show; null for a list.</summary>
    public string? Session { get; init; }

    public bool AreValuesShown { get; init; }

    /// <summary>Text that the shown keys contain; null for all keys.</summary>
    public string? Key { get; init; }

    /// <summary>The text to search for; null if all sessions are listed.</summary>
    public string? Search { get; init; }

    /// <summary>The kind of walk with which the search continues.</summary>
    public Walk? By { get; init; }

    /// <summary>True: only sessions with a user; false: only sessions without a user.</summary>
    public bool? HasUser { get; init; }

    public SortOrder Sort { get; init; } = SortOrder.Default;

    /// <summary>The number of the page.</summary>
    public int Page { get; init; } = 1;

    /// <summary>Where the page begins; null for the first one.</summary>
    public string? After { get; init; }

    /// <summary>Where other pages begin.</summary>
    public Trail Trail { get; init; } = Trail.None;

    /// <summary>How many hours the plot goes back; null: to the beginning.</summary>
    public int? Hours { get; init; }

    /// <summary>After how many seconds the page is reloaded; null: only manually.</summary>
    public int? Refresh { get; init; }

    /// <summary>How many sessions were ended by the form that led here; null if no form did.</summary>
    public int? Ended { get; init; }

    /// <summary>The session that the form ended.</summary>
    public string? EndedId { get; init; }

    /// <summary>The user whose sessions the form ended, or as much of the name as is shown.</summary>
    public string? EndedUser { get; init; }

    /// <summary>The first page of all sessions, with the same settings.</summary>
    public View All => Plain with { Search = null, By = null, HasUser = null, Page = 1, After = null, Trail = Trail.None };

    /// <summary>The list that led here, without the notice of what was ended.</summary>
    public View Plain => this with
    {
        Session = null,
        AreValuesShown = false,
        Key = null,
        Ended = null,
        EndedId = null,
        EndedUser = null,
    };

    /// <summary>The same page, reloaded without the notice.</summary>
    public View Again => this with { Ended = null, EndedId = null, EndedUser = null };

    public View Of(string session) => Plain with { Session = session };

    public View Find(string search) => All with { Search = search };

    /// <summary>Whether a link can name what to search for: servers and proxies refuse long addresses.</summary>
    public static bool CanFind(string search) => Uri.EscapeDataString(search).Length <= LongestSearch;

    public View At(int page) => Plain with { Page = page, After = Trail.CursorOf(page) };

    public static View Parse(IQueryCollection query)
    {
        return new()
        {
            Session = Text(SessionName),
            AreValuesShown = query.ContainsKey(ValuesName),
            Key = Text(KeyName),
            Search = Text(SearchName),
            By = Text(ByName) switch { "id" => Walk.ById, "user" => Walk.ByUser, _ => null },
            HasUser = Text(WhoName) switch { "users" => true, "anonymous" => false, _ => null },
            Sort = SortOrder.Parse(Text(SortName)),
            Page = Number(PageName) is { } page and > 1 and < 1_000_000 ? page : 1,
            After = query.ContainsKey(AfterName) ? query[AfterName].ToString() is { Length: > 0 } after ? after : null : null,
            Trail = Trail.Parse(Text(TrailName)),
            Hours = OneOf(Ranges, HoursName),
            Refresh = OneOf(Pauses, RefreshName),
            Ended = Number(EndedName),
            EndedId = Text(EndedIdName) is { } id && PublicId.IsOne(id) ? id : null,
            EndedUser = Text(EndedUserName),
        };

        string? Text(string name) => query[name].ToString() is { Length: > 0 } text ? text : null;

        int? Number(string name) =>
            int.TryParse(query[name], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

        int? OneOf(IReadOnlyList<int> allowed, string name) => Number(name) is { } number && allowed.Contains(number) ? number : null;
    }

    /// <summary>The parameters by name, without defaults.</summary>
    public IEnumerable<(string Name, string Value)> Parameters
    {
        get
        {
            var all = new (string Name, string? Value)[]
            {
                (SessionName, Session),
                (ValuesName, AreValuesShown ? "shown" : null),
                (KeyName, Key),
                (SearchName, Search),
                (ByName, By switch { Walk.ById => "id", Walk.ByUser => "user", _ => null }),
                (WhoName, HasUser switch { true => "users", false => "anonymous", null => null }),
                (SortName, Sort == SortOrder.Default ? null : Sort.ToString()),
                (PageName, Page > 1 ? Text(Page) : null),
                (AfterName, After),
                (TrailName, Trail.ToString()),
                (HoursName, Text(Hours)),
                (RefreshName, Text(Refresh)),
                (EndedName, Text(Ended)),
                (EndedIdName, EndedId),
                (EndedUserName, EndedUser),
            };
            return all.Where(static one => !string.IsNullOrEmpty(one.Value)).Select(static one => (one.Name, one.Value!));

            static string? Text(int? number) => number?.ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>The same view as a CSV file.</summary>
    public string ToCsvLink() => $"{Again.ToLink()}{(Again.Parameters.Any() ? "&" : "")}{FormatName}={Csv}";

    public string ToLink()
    {
        var link = new StringBuilder("?");
        foreach (var (name, value) in Parameters)
        {
            if (link.Length > 1) link.Append('&');
            link.Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }

        return link.ToString();
    }
}

/// <summary>What a search walks all sessions for if there was no exact match.</summary>
internal enum Walk
{
    ById,
    ByUser,
}
