using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// Writes that are confirmed when the task completes, in both modes. Each is one round trip: one atomic script on the session's key, which
/// also renews the expiry. Earlier changes of the request that are not yet confirmed are sent along with it, so that the order is kept.
/// </summary>
/// <remarks>
/// They require a session of <c>AddRedisHashSession</c>, and throw <see cref="InvalidOperationException"/> on any other. If Redis refuses
/// the write or is unavailable, they throw the client's exception, or <see cref="OperationCanceledException"/> after
/// <see cref="Builder.SessionOptions.IOTimeout"/>; a write that timed out or was cancelled may still have been applied.
/// </remarks>
public static class SessionAsyncSetterExtensions
{
    /// <summary>Sets <paramref name="key"/>. One round trip.</summary>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="key"/> is longer than 65,535 bytes in UTF-8.</exception>
    /// <exception cref="InvalidOperationException">
    /// The session is not managed by <c>AddRedisHashSession</c>; or it is new and the response has started, so that no cookie can be sent.
    /// </exception>
    /// <exception cref="SessionEndedException">The session has ended since this request first accessed it; nothing was written.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task SetAsync(this ISession session, string key, byte[] value, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).SetAsync(key, value, cancellationToken);

    /// <summary>Sets several keys at once: all or none. One round trip, however many.</summary>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task SetAsync(
        this ISession session, IEnumerable<KeyValuePair<string, byte[]>> values, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).SetAsync(values, cancellationToken);

    /// <summary>
    /// Sets <paramref name="key"/> to text, as <see cref="SessionSetterExtensions.SetValue{T}"/> does. One round trip.
    /// </summary>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task SetValueAsync<T>(this ISession session, string key, T value, CancellationToken cancellationToken = default)
        where T : ISpanParsable<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return session.SetAsync(key, SessionText.Encode(value), cancellationToken);
    }

    /// <summary>
    /// Sets <paramref name="key"/> to JSON, as <see cref="SessionSetterExtensions.SetJson{T}(ISession, string, T)"/> does. One round trip.
    /// </summary>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public static Task SetJsonAsync<T>(this ISession session, string key, T value, CancellationToken cancellationToken = default) =>
        session.SetAsync(key, SessionJson.Encode(value), cancellationToken);

    /// <summary>
    /// Sets <paramref name="key"/> to JSON, serialized with <paramref name="typeInfo"/>: safe for trimming and ahead-of-time compilation.
    /// One round trip.
    /// </summary>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task SetJsonAsync<T>(
        this ISession session, string key, T value, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        return session.SetAsync(key, SessionJson.Encode(value, typeInfo), cancellationToken);
    }

    /// <summary>
    /// Sets <paramref name="key"/> with an expiry of its own: Redis removes it after <paramref name="expiresIn"/>, to the millisecond,
    /// while the session continues. For example, for codes that are valid for a few minutes. Setting the key again, by any method, removes
    /// the key's expiry; <c>RenewSessionAsync</c> keeps it. One round trip, plus one for earlier changes of the request.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="expiresIn"/> is not positive, or <paramref name="key"/> is longer than 65,535 bytes in UTF-8.
    /// </exception>
    /// <exception cref="NotSupportedException">
    /// The server does not support the expiry of hash fields, which requires Redis 7.4, Valkey 9 or Garnet. Nothing was written.
    /// </exception>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task SetAsync(
        this ISession session, string key, byte[] value, TimeSpan expiresIn, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).SetAsync(key, value, expiresIn, cancellationToken);

    /// <summary>
    /// Sets <paramref name="key"/> to text, as <see cref="SessionSetterExtensions.SetValue{T}"/> does, with an expiry of its own.
    /// </summary>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], TimeSpan, CancellationToken)" path="/exception"/>
    public static Task SetValueAsync<T>(
        this ISession session, string key, T value, TimeSpan expiresIn, CancellationToken cancellationToken = default)
        where T : ISpanParsable<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return session.SetAsync(key, SessionText.Encode(value), expiresIn, cancellationToken);
    }

    /// <summary>Removes <paramref name="key"/> if it exists; never creates a session. One round trip.</summary>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The session is not managed by <c>AddRedisHashSession</c>.</exception>
    /// <exception cref="SessionEndedException">The session has ended since this request first accessed it.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task RemoveAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).RemoveAsync(key, cancellationToken);
}
