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
    public const string NeedsReflection = "JSON without a JsonTypeInfo<T> is read and written by reflection. Use the overload that takes one.";

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
        TryParse(value, json => JsonSerializer.Deserialize<T>(json, Options), out result);

    public static bool TryParse<T>(byte[]? value, JsonTypeInfo<T> typeInfo, [NotNullWhen(true)] out T? result) =>
        TryParse(value, json => JsonSerializer.Deserialize(json, typeInfo), out result);

    public static bool TryParse(byte[]? value, [NotNullWhen(true)] out JsonNode? result) =>
        TryParse(value, static json => JsonNode.Parse(json), out result);

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
        }
        catch (JsonException)
        {
            // Not JSON, or not of this shape.
        }

        return result is not null;
    }
}
