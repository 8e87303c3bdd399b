using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>The content of the pages as JSON, for scripts. Unknown values are omitted; times are in UTC.</summary>
/// <param name="Sessions">The sessions of this page, in its order.</param>
/// <param name="FoundBy">How they were found, as in <see cref="Match"/>; omitted if all are listed.</param>
/// <param name="Next">The query string of the next page; omitted on the last one.</param>
internal sealed record ListDocument(IReadOnlyList<SessionItem> Sessions, Match? FoundBy, string? Next);

internal sealed record SessionItem(
    string Id, string? User, DateTime? LastUsed, DateTime? Created, DateTime? Expires, long KeyCount, long? SizeInBytes)
{
    public static SessionItem Of(SessionInfo session) => new(
        session.Id,
        session.User,
        session.LastUsed?.UtcDateTime,
        session.Created == DateTimeOffset.UnixEpoch ? null : session.Created.UtcDateTime,
        session.Expires == DateTimeOffset.MaxValue ? null : session.Expires.UtcDateTime,
        session.KeyCount,
        session.SizeInBytes);
}

/// <param name="Session">The session.</param>
/// <param name="Keys">Its keys; omitted if they were not read.</param>
/// <param name="KeysLeftOut">How many keys have a value that the application cannot decrypt; omitted if there are none.</param>
internal sealed record SessionDocument(SessionItem Session, IReadOnlyList<KeyItem>? Keys, long? KeysLeftOut);

/// <param name="Key">The key.</param>
/// <param name="Kind">What its value looks like, in a word.</param>
/// <param name="SizeInBytes">The length of the value.</param>
/// <param name="Expires">When it expires by itself; omitted if it does not.</param>
/// <param name="Value">The value if it is text; omitted if values were not requested.</param>
/// <param name="Base64">The value if it is not text.</param>
internal sealed record KeyItem(string Key, string Kind, int SizeInBytes, DateTime? Expires, string? Value, string? Base64)
{
    public static KeyItem Of(string key, SessionValue stored, DateTimeOffset? expires, bool isShown)
    {
        byte[] raw = stored.Raw ?? [];
        string kind = ShownValue.Of(raw).Kind;
        bool isText = kind != ShownValue.BytesKind;
        return new(
            key,
            kind,
            raw.Length,
            expires?.UtcDateTime,
            isShown && isText ? Encoding.UTF8.GetString(raw) : null,
            isShown && !isText ? Convert.ToBase64String(raw) : null);
    }
}

/// <param name="Error">What went wrong, in a few words.</param>
internal sealed record ErrorDocument(string Error);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ListDocument))]
[JsonSerializable(typeof(SessionDocument))]
[JsonSerializable(typeof(ErrorDocument))]
internal sealed partial class DocumentJson : JsonSerializerContext;

/// <summary>A page of the list as comma-separated values (RFC 4180). Pure.</summary>
internal static class SessionCsv
{
    public static string Of(IEnumerable<SessionInfo> sessions)
    {
        var csv = new StringBuilder("id,user,lastUsed,created,expires,keyCount,sizeInBytes\r\n");
        foreach (var one in sessions.Select(SessionItem.Of))
        {
            csv.AppendJoin(',', Cell(one.Id), Cell(one.User), Cell(one.LastUsed), Cell(one.Created), Cell(one.Expires))
                .Append(CultureInfo.InvariantCulture, $",{one.KeyCount},{one.SizeInBytes}\r\n");
        }

        return csv.ToString();
    }

    private static string Cell(DateTime? time) => time?.ToString("O", CultureInfo.InvariantCulture) ?? "";

    /// <summary>
    /// Quoted if necessary. An apostrophe turns what a spreadsheet would take for a formula into text: users choose their names.
    /// </summary>
    private static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        if ("=+-@\t\r\n".Contains(text[0], StringComparison.Ordinal) && !PublicId.IsOne(text)) text = "'" + text;
        return text.AsSpan().ContainsAny("\",\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
