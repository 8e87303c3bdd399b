using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// Typed setters. They write through <see cref="ISession.Set"/>, so they work on any <see cref="ISession"/>, do not wait, and throw what it
/// throws. A session of <c>AddRedisHashSession</c> confirms them before the response starts, all of a request in one round trip.
/// </summary>
public static class SessionSetterExtensions
{
    /// <summary>
    /// Sets <paramref name="key"/> to text that <see cref="SessionGetterExtensions.GetValue{T}"/> reads back. It is also readable for
    /// people, HINCRBY and other languages: invariant numbers, <c>True</c>/<c>False</c>, dates in ISO 8601.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> or <paramref name="value"/> is null.</exception>
    public static void SetValue<T>(this ISession session, string key, T value)
        where T : ISpanParsable<T>
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        session.Set(key, SessionText.Encode(value));
    }

    /// <summary>
    /// Sets <paramref name="key"/> to <paramref name="value"/> as UTF-8 JSON, with the defaults of ASP.NET Core (camelCase).
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public static void SetJson<T>(this ISession session, string key, T value)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(key);
        session.Set(key, SessionJson.Encode(value));
    }

    /// <summary>
    /// Sets <paramref name="key"/> to JSON, serialized with <paramref name="typeInfo"/>: safe for trimming and ahead-of-time compilation.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> or <paramref name="typeInfo"/> is null.</exception>
    public static void SetJson<T>(this ISession session, string key, T value, JsonTypeInfo<T> typeInfo)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(typeInfo);
        session.Set(key, SessionJson.Encode(value, typeInfo));
    }
}
