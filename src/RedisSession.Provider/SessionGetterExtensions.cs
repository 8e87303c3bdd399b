using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// Typed getters that never throw on unexpected content, modelled on redis-session. They read through <see cref="ISession.TryGetValue"/>,
/// so they work on any <see cref="ISession"/> and see what it sees. On a session of <c>AddRedisHashSession</c> in buffered mode (the
/// default), this is the snapshot that the first read of a request takes: one round trip, and none for later reads. In live mode, each read
/// is one round trip. Without a snapshot, they block a thread until Redis answers; <see cref="SessionAsyncGetterExtensions"/> does not.
/// </summary>
public static class SessionGetterExtensions
{
    /// <summary>Reads the value of <paramref name="key"/>, which can then be converted to the type you need.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="session"/> or <paramref name="key"/> is null.</exception>
    public static SessionValue Read(this ISession session, string key)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(key);
        return new(session.TryGetValue(key, out var value) ? value : null);
    }

    /// <inheritdoc cref="SessionValue.Raw"/>
    public static byte[]? GetRaw(this ISession session, string key) => session.Read(key).Raw;

    /// <inheritdoc cref="SessionValue.Str"/>
    public static string GetStr(this ISession session, string key) => session.Read(key).Str;

    /// <inheritdoc cref="SessionValue.Int"/>
    public static int GetInt(this ISession session, string key) => session.Read(key).Int;

    /// <inheritdoc cref="SessionValue.Long"/>
    public static long GetLong(this ISession session, string key) => session.Read(key).Long;

    /// <inheritdoc cref="SessionValue.Bool"/>
    public static bool GetBool(this ISession session, string key) => session.Read(key).Bool;

    /// <inheritdoc cref="SessionValue.As{T}(T)"/>
    public static T GetValue<T>(this ISession session, string key, T fallback)
        where T : ISpanParsable<T> => session.Read(key).As(fallback);

    /// <inheritdoc cref="SessionValue.Json()"/>
    public static JsonNode GetJson(this ISession session, string key) => session.Read(key).Json();

    /// <inheritdoc cref="SessionValue.Json{T}()"/>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public static T GetJson<T>(this ISession session, string key)
        where T : new() => session.Read(key).Json<T>();

    /// <inheritdoc cref="SessionValue.JsonOr{T}(T)"/>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public static T GetJsonOr<T>(this ISession session, string key, T fallback) => session.Read(key).JsonOr(fallback);

    /// <inheritdoc cref="SessionValue.Json{T}(JsonTypeInfo{T})"/>
    public static T GetJson<T>(this ISession session, string key, JsonTypeInfo<T> typeInfo)
        where T : new() => session.Read(key).Json(typeInfo);

    /// <inheritdoc cref="SessionValue.JsonOr{T}(T, JsonTypeInfo{T})"/>
    public static T GetJsonOr<T>(this ISession session, string key, T fallback, JsonTypeInfo<T> typeInfo) =>
        session.Read(key).JsonOr(fallback, typeInfo);

    /// <inheritdoc cref="SessionValue.None"/>
    public static bool IsNone(this ISession session, string key) => session.Read(key).None;
}
