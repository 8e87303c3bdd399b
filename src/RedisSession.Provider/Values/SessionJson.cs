using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace RedisSession.Provider;

/// <summary>
/// Session values as UTF-8 JSON, with the defaults of ASP.NET Core's JSON (camelCase names, read in any case), and letters of
/// every script unescaped, since people read them in Redis. Pure. Reading never throws.
/// </summary>
internal static class SessionJson
{
    public const string NeedsReflection =
        "Without a JsonTypeInfo<T>, JSON is read and written by reflection. Use the overload that takes a JsonTypeInfo<T>.";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
    };

    [RequiresUnreferencedCode(NeedsReflection)]
    [RequiresDynamicCode(NeedsReflection)]
    public static byte[] Encode<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    public static byte[] Encode<T>(T value, JsonTypeInfo<T> typeInfo) => JsonSerializer.SerializeToUtf8Bytes(value, typeInfo);

    [RequiresUnreferencedCode(NeedsReflection)]
    [RequiresDynamicCode(NeedsReflection)]
    public static bool TryParse<T>(byte[]? value, [NotNullWhen(true)] out T? result) =>
        TryParse(value, TypeInfoOf<T>(), out result);

    public static bool TryParse<T>(byte[]? value, JsonTypeInfo<T> typeInfo, [NotNullWhen(true)] out T? result) =>
        TryParse(value, json => JsonSerializer.Deserialize(json, typeInfo), out result);

    public static bool TryParse(byte[]? value, [NotNullWhen(true)] out JsonNode? result) => TryParse(value, ParseNode, out result);

    // Separate from parsing: a type that JSON does not support is a bug, not bad content, and throws.
    [RequiresUnreferencedCode(NeedsReflection)]
    [RequiresDynamicCode(NeedsReflection)]
    private static JsonTypeInfo<T> TypeInfoOf<T>()
    {
        Options.MakeReadOnly(populateMissingResolver: true); // once; type infos are not available before
        return (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T));
    }

    private static bool TryParse<T>(byte[]? value, Func<ReadOnlySpan<byte>, T?> parse, [NotNullWhen(true)] out T? result)
    {
        result = default;
        if (value is null) return false;
        ReadOnlySpan<byte> json = value;
        var byteOrderMark = "\uFEFF"u8;
        if (json.StartsWith(byteOrderMark)) json = json[byteOrderMark.Length..];

        try
        {
            result = parse(json);
            return result is not null;
        }
        catch (Exception)
        {
            // Not JSON, or not of this shape; or a constructor, a setter or a collection of T rejects the content.
            return false;
        }
    }

    /// <summary>
    /// A <see cref="JsonNode"/> decodes names and strings lazily, and throws only then. What would throw is rejected here: a duplicate
    /// name in an object, text that is not UTF-8, an unpaired surrogate.
    /// </summary>
    private static JsonNode? ParseNode(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) return null;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.ValueIsEscaped) _ = reader.GetString();
        }

        return JsonNode.Parse(json, documentOptions: new() { AllowDuplicateProperties = false });
    }
}
